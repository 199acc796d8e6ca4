// SPDX-License-Identifier: Apache-2.0
#include "stage1/start_order.hh"

#include <algorithm>

namespace rocket::stage1
{

Turn turn_of(const model::AppPolicy& policy, const std::function<OtherApp(const model::AppName&)>& look_up)
{
    if (std::ranges::any_of(policy.needs, [&](const auto& name) { return look_up(name).has_failed; }))
        return Turn::never;
    const auto is_through = [&](const auto& name) {
        const auto other = look_up(name);
        return other.is_up || other.has_ended;
    };
    return std::ranges::all_of(policy.after, is_through) ? Turn::now : Turn::later;
}

} // namespace rocket::stage1
