// SPDX-License-Identifier: Apache-2.0
// The end of a pod: everything in it is killed, its PID 1 reaped, its cgroup removed. Its mounts, network and other
// namespaces go with the last process.
#pragma once

#include <string>

#include "common/sys/process.hh"

namespace rocket::stage1
{

enum class GroupOwner {
    ours,
    host_systemd, // a scope: systemd removes it when it sees that it is empty, and would not see it if we were quicker
};

// Returns when nothing of the pod is left; false if something would not die within ten seconds.
bool tear_down(Process init, const std::string& group, GroupOwner owner);

} // namespace rocket::stage1
