// SPDX-License-Identifier: Apache-2.0
// From a plan to a running PID 1. launch() opens everything the pod needs from the host, clones the pod's init into new
// namespaces, lets the caller place it in its cgroup, has it build the pod's mounts (setup.hh) and returns when systemd
// is about to be, or has been, executed. Nothing is ever mounted on the host: when launch() throws, nothing is left but
// directories inside the pod directory. Errors: what failed, in the child too, with the step as context.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <vector>

#include "common/sys/fd.hh"
#include "common/sys/process.hh"
#include "stage1/app_spec.hh"
#include "stage1/plan.hh"
#include "stage1/pod_facts.hh"
#include "stage1/user_namespace.hh"

namespace rocket::stage1
{

struct LaunchOptions {
    // Called in the parent once the child exists and before it unshares its cgroup namespace, so the group it is in
    // when this returns is the root of what the pod sees. May be empty if `cgroup` is set.
    std::function<void(pid_t)> place;
    std::function<void(pid_t)> begin_network; // the same, as soon as the child has its namespaces; may be empty
    int cgroup = -1; // directory of the cgroup the child is born in (CLONE_INTO_CGROUP); -1: ours
    int log = -1;    // stdout and stderr of PID 1; -1: /dev/null
    // For the resolver of apps. launch() adds what it finds itself: `devices`, `terminals` and the restrictions.
    PodFacts facts;
};

struct Launched {
    Process init; // the pod's PID 1; killed by the kernel should we die (PR_SET_PDEATHSIG)
    Fd run;       // root of the pod's /run as seen from outside; /run/systemd exists already, for inotify. What is in
                  // it is PID 1's: open by openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS) only
    // Of each app: master of its /dev/pts/0, which is its /dev/console too (slave: TIOCGPTPEER); or nothing.
    std::vector<Fd> terminals;
    std::optional<PrivateUsers> users; // of a pod with a user namespace of its own
    Fd console;                        // debug: master of PID 1's own /dev/console, where systemd says what it does
    std::vector<AppSpec> apps;         // in the order of the plan
    PodFacts facts;                    // for apps that are added later
};

Launched launch(const Pod& pod, const Plan& plan, LaunchOptions options);

} // namespace rocket::stage1
