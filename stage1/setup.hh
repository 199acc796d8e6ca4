// SPDX-License-Identifier: Apache-2.0
// What the cloned child does: builds the pod, step by step, and becomes its PID 1. Everything it has to say goes
// through the channel; it never returns.
#pragma once

#include "stage1/channel.hh"
#include "stage1/plan.hh"
#include "stage1/pod_facts.hh"
#include "stage1/sources.hh"

namespace rocket::stage1
{

struct SetUp {
    const Pod& pod;
    const Plan& plan;
    Sources& sources;
    const PodFacts& facts;
    Channel& parent; // says go() once this process is in its cgroup
    int log = -1;    // stdout and stderr of PID 1; -1: /dev/null
};

[[noreturn]] void set_up_and_become_init(const SetUp& what) noexcept;

} // namespace rocket::stage1
