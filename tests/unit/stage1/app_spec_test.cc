// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_spec.hh"

#include <cerrno>

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

AppSpec full_spec()
{
    AppSpec spec;
    spec.name = "web";
    spec.uid = 4294967294U;
    spec.gid = 33;
    spec.supplementary_gids = {1, 2};
    spec.main = {"/bin/sh", {"sh", "-c", "echo \"$X\" %n"}};
    spec.pre_start = {"/bin/pre", {"pre"}};
    spec.post_stop = {"/bin/post", {"post"}};
    spec.health_check = {"/bin/check", {"check", "x"}};
    spec.startup_check = {"/bin/started", {"started"}};
    spec.exec_error = "why";
    spec.working_directory = "/work";
    spec.environment = {{"A", "1\n2"}, {"B.c", ""}};
    spec.bounding_set = 0x1ffffffffff;
    spec.no_new_privileges = true;
    spec.seccomp = {SeccompPolicy::Mode::allow, {"read", "write"}, ENOSYS, true};
    spec.labels = {"p", "u:r:t:s0"};
    spec.resources = {1, 2, 3, 4, 5, 6, {"8:0"}, OpenFiles{1024, 4096}, 7};
    spec.oom_score_adjust = -500;
    spec.restrict_devices = false;
    spec.devices = {{true, 8, 1, true}, {false, 1, 11, false}};
    spec.notifies = true;
    spec.watchdog_usec = 30'000'000;
    spec.reports = {"one"};
    return spec;
}

} // namespace

TEST_CASE("app spec: comes back from JSON as it was")
{
    CHECK(app_spec_from_json(to_json(full_spec())) == full_spec());
    AppSpec least;
    least.name = "a";
    CHECK(app_spec_from_json(to_json(least)) == least);
}

TEST_CASE("app spec: what is missing or out of range is refused")
{
    const auto text = to_json(full_spec());
    for (const auto& change : {std::pair{"4294967294", "4294967295"},
                               {"\"mode\":\"allow\"", "\"mode\":\"maybe\""},
                               {"\"gid\":33", "\"gid\":-1"},
                               {"\"gid\":33", "\"gid\":\"33\""},
                               {"\"boundingSet\"", "\"bounding\""},
                               {"-500", "-1001"}}) {
        const auto [from, to] = change;
        CAPTURE(std::string{change.second});
        auto changed = text;
        const auto at = changed.find(from);
        REQUIRE(at != std::string::npos);
        changed.replace(at, std::string_view{from}.size(), to);
        CHECK_THROWS_AS(app_spec_from_json(changed), Error);
    }
    CHECK_THROWS_AS(app_spec_from_json("{}"), Error);
}
