// SPDX-License-Identifier: Apache-2.0
// From a plan to a process that is about to execute the app: opens everything the pod needs from the host and clones
// the app's process into its namespaces and cgroup. Nothing is ever mounted on the host. Errors: what failed, in the
// child too.
#pragma once

#include <string>
#include <vector>

#include "common/sys/fd.hh"
#include "common/sys/process.hh"
#include "stage1/channel.hh"
#include "stage1/plan.hh"
#include "stage1/pod_facts.hh"

namespace rocket::stage1::fly
{

struct Launched {
    Process app;
    AppSpec spec;
    Channel channel;            // an error, or its end when the app is executed
    Fd terminal;                // --interactive: master of the app's terminal
    std::vector<Fd> namespaces; // for a post-stop handler; empty if there is none
    Fd root;                    // the app's, likewise: that of its mount namespace is another one in a chroot
};

// `group`: the pod's cgroup, whose limits are set before the app is executed, unless it cannot be
// (AppSpec::exec_error).
Launched launch(const Pod& pod, const Plan& plan, PodFacts facts, const std::string& group);

} // namespace rocket::stage1::fly
