// SPDX-License-Identifier: Apache-2.0
// The last step: the child, already in the pod's root, gives up what the pod's PID 1 does not need and becomes it.
#pragma once

#include <cstdint>

#include "stage1/plan.hh"

namespace rocket::stage1
{

// What systemd needs to start and stop apps (bits as in capabilities.hh).
std::uint64_t init_capabilities();

// Returns only by throwing. `app_capabilities`: the union of the apps' bounding sets, which PID 1 cannot give without
// having them. Nothing is inherited but descriptors 0-2: /dev/null, and twice
// `log` (-1: /dev/null); and the plan's sockets.
[[noreturn]] void become_init(const Plan& plan, std::uint64_t app_capabilities, int log);

} // namespace rocket::stage1
