// SPDX-License-Identifier: Apache-2.0
// What the cloned child of a fly pod does: builds the app's mounts, step by step, has the supervisor set the app's
// limits, and becomes the app. Until the app is executed it speaks through the channel; never returns. Exit statuses
// before that: 203 the app cannot be executed, 254 another failure, or what its pre-start handler ended with.
#pragma once

#include "stage1/channel.hh"
#include "stage1/execute.hh"
#include "stage1/plan.hh"
#include "stage1/pod_facts.hh"
#include "stage1/sources.hh"

namespace rocket::stage1::fly
{

struct SetUp {
    const Pod& pod;
    const Plan& plan;
    Sources& sources;
    const PodFacts& facts;
    const Channel& parent; // says go() when the app's limits are in force
};

constexpr int exec_failed = 203; // cli 9.5
constexpr int set_up_failed = 254;

[[noreturn]] void set_up_and_become_app(const SetUp& what) noexcept;

Program program_of(const AppSpec& spec, const Command& command);

} // namespace rocket::stage1::fly
