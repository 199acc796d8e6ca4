// SPDX-License-Identifier: Apache-2.0
#include "stage1/placement.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;

namespace
{

const auto id = model::PodId::parse("7f3a1c1e-90b4-4d5b-8a5e-9a3fd1a5b0c2");
constexpr const char* scope = "machine-rkt\\x2d7f3a1c1e\\x2d90b4\\x2d4d5b\\x2d8a5e\\x2d9a3fd1a5b0c2.scope";

} // namespace

TEST_CASE("placement: a unit's pod is below the unit")
{
    const auto where = choose_group(id, {.booted = true, .is_unit_process = true, .own = "/system.slice/a.service"});
    CHECK(where.kind == Placement::Kind::payload);
    CHECK(where.group == "/system.slice/a.service/payload");
}

TEST_CASE("placement: started by hand on a booted host, a scope; what takes its place is below the caller")
{
    const auto where = choose_group(id, {.booted = true, .own = "/user.slice/session-1.scope"});
    CHECK(where.kind == Placement::Kind::scope);
    CHECK(where.group == std::string{"/machine.slice/"} + scope);
    CHECK(where.fallback == std::string{"/user.slice/session-1.scope/"} + scope);
}

TEST_CASE("placement: without systemd, below the caller")
{
    CHECK(choose_group(id, {.booted = true, .wants_machine = false, .own = "/"}).group == std::string{"/"} + scope);
    CHECK(choose_group(id, {.own = "/"}).group == std::string{"/"} + scope);
    CHECK(choose_group(id, {.own = "/ci"}).group == std::string{"/ci/"} + scope);
}
