// SPDX-License-Identifier: Apache-2.0
// Whether an app's turn has come, by what its policy says it is to be started after. Pure. The pod's manifest was
// checked: the apps named are there, and there is no ring (pod_manifest.hh).
#pragma once

#include <functional>

#include "common/model/app_policy.hh"

namespace rocket::stage1
{

struct OtherApp {
    bool is_up = false; // started, and ready if it says so itself; stays true
    bool has_ended = false;
    bool has_failed = false;
};

enum class Turn {
    now,
    later,
    never, // an app that it needs has failed
};

Turn turn_of(const model::AppPolicy& policy, const std::function<OtherApp(const model::AppName&)>& look_up);

} // namespace rocket::stage1
