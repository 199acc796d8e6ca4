// SPDX-License-Identifier: Apache-2.0
// A pod is built by tables of steps, carried out one after the other in the cloned child. What a step throws gets the
// step's name, because a failed system call says little by itself.
#pragma once

#include <functional>
#include <span>

#include "stage1/channel.hh"
#include "stage1/construction.hh"

namespace rocket::stage1
{

struct Step {
    const char* doing;
    void (*act)(Construction&);
};

void run(std::span<const Step> steps, Construction& pod);

// The life of a cloned child, which `act` never returns from: tied to the supervisor's, umask 0, and what is thrown
// goes through the channel.
[[noreturn]] void run_child(const Channel& parent, const std::function<void()>& act) noexcept;

// Steps of every flavour.
void make_mounts_private(Construction& pod); // first of all, or ours would show up on the host
void start_loopback(Construction& pod);      // of a network namespace of our own
void set_host_name(Construction& pod);
void resolve_apps(Construction& pod); // in their final roots; needs the host's /proc

} // namespace rocket::stage1
