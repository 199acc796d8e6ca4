// SPDX-License-Identifier: Apache-2.0
// The process that an entering one is to resemble: an app's main process, found by its cgroup, held by pidfd, with what
// is needed to join it. Everything is looked up from the host and by descriptor; after that nothing in the pod is
// asked. Errors: Kind::usage if pod or app do not run.
#pragma once

#include <sys/resource.h>

#include <array>
#include <string>

#include "common/sys/fd.hh"
#include "common/sys/path.hh"
#include "stage1/app_spec.hh"
#include "stage1/enter/options.hh"

namespace rocket::stage1
{

struct Target {
    AppSpec spec;
    pid_t pid = 0;
    Fd pidfd;
    Fd cgroup;   // directory of the app's group
    InRoot root; // the app's root as its main process has it
    std::array<rlimit, RLIMIT_NLIMITS> limits{};
    int oom_score = 0;
    bool private_users = false; // its user namespace is not ours
};

// `pod` is the pod directory.
Target find_target(int pod, const EnterOptions& options); // in a pod with a systemd in it

// Parts of it, for other flavours.
AppSpec read_spec(int pod, const model::AppName& app);
void check_init(int pod, pid_t init); // is it still the process that was recorded?
// The rest, once the process is found and held by `pidfd`.
Target target_of(AppSpec spec, pid_t pid, Fd pidfd, const std::string& group);

} // namespace rocket::stage1
