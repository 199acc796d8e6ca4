// SPDX-License-Identifier: Apache-2.0
// A process that the supervisor forks to work in the mounts of a running pod: it joins the pod's mount namespace, but
// not its process namespace, so nobody in the pod can see or trace it; its root stays the host's, so that absolute
// paths mean what they did when the pod was set up, and it is root of the pod's user namespace by then. It cannot
// outlive the supervisor. What it has to say comes through the channel: apps as resolved, or an error.
#pragma once

#include <optional>
#include <string>

#include "common/model/streams.hh"
#include "common/sys/process.hh"
#include "stage1/channel.hh"
#include "stage1/plan.hh"
#include "stage1/pod.hh"
#include "stage1/pod_facts.hh"
#include "stage1/user_namespace.hh"

namespace rocket::stage1
{

struct AppHelper {
    Process process;
    Channel channel;
};

// Gives `pod.manifest.apps[0]`, the only one of `pod` and `plan`, all that an app of `run` gets, by the same code, and
// sends its spec. When that fails, nothing is left mounted. `terminal` is used if the app has one. `users`: of a pod
// with a user namespace of its own, else null.
AppHelper start_adding(const Pod& pod, const Plan& plan, const PodFacts& facts, int init_pidfd, Fd terminal_filesystem,
                       const PrivateUsers* users);
// Unmounts the app's root, if it is mounted.
AppHelper start_removing(const std::string& app, int init_pidfd, const PrivateUsers* users);

} // namespace rocket::stage1
