// SPDX-License-Identifier: Apache-2.0
#include "stage1/start_order.hh"

#include <map>

#include <doctest/doctest.h>

using namespace rocket::stage1;
using rocket::model::AppName;

namespace
{

Turn turn(const rocket::model::AppPolicy& policy, const std::map<std::string, OtherApp>& others)
{
    return turn_of(policy, [&](const AppName& name) { return others.at(name.str()); });
}

} // namespace

TEST_CASE("start order: at once, after another, only after another that works (L3)")
{
    const auto db = AppName::parse("db");
    const OtherApp starting, up{.is_up = true}, failed{.has_ended = true, .has_failed = true},
        done{.is_up = true, .has_ended = true};
    CHECK(turn({}, {}) == Turn::now);
    for (const bool needs : {false, true}) {
        rocket::model::AppPolicy policy{.after = {db}};
        if (needs)
            policy.needs = {db};
        CAPTURE(needs);
        CHECK(turn(policy, {{"db", starting}}) == Turn::later);
        CHECK(turn(policy, {{"db", up}}) == Turn::now);
        CHECK(turn(policy, {{"db", done}}) == Turn::now);
        CHECK(turn(policy, {{"db", failed}}) == (needs ? Turn::never : Turn::now));
    }
}
