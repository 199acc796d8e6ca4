// SPDX-License-Identifier: Apache-2.0
// Pods of other users as machines of systemd-machined, which takes them from root only. What is asked for is a name of
// ours for a process of the caller's own, in the service that the caller runs in: nobody can name, or have ended by
// that name, what is not their own.
#pragma once

#include <sys/types.h>

#include "common/model/layout.hh"
#include "common/model/names.hh"

namespace rocket::users
{

struct Leader {
    pid_t pid;
    int pidfd;
};

// The process of a pidfd, as we number it. Kind::not_found once it has ended, Kind::usage for another descriptor.
pid_t process_of(int pidfd);

// Registers the pod in the cgroup it is in. `leader` is in the caller's user namespace, which has been looked at;
// refused are one that is not in the system service of `caller`, one whose service has a living machine already, and
// the UUIDs of the host's own pods. Throws, also where there is no machined.
void register_machine(const model::Layout& layout, const model::PodId& id, pid_t caller, const Leader& leader);

} // namespace rocket::users
