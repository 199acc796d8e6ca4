// SPDX-License-Identifier: Apache-2.0
#include "stage1/app_progress.hh"

#include <csignal>

#include <doctest/doctest.h>

using namespace rocket::stage1;

namespace
{

UnitChange unit(const char* active, const char* result = "success", std::int32_t code = 0, std::int32_t status = 0)
{
    return {.active_state = active, .result = result, .exec_code = code, .exec_status = status};
}

AppProgress after(const std::vector<UnitChange>& changes)
{
    AppProgress progress;
    for (const auto& change : changes)
        progress.apply(change);
    return progress;
}

} // namespace

TEST_CASE("app progress: how an app ended (cli 9.5)")
{
    const auto exited = after({unit("activating"), unit("active"), unit("failed", "exit-code", CLD_EXITED, 7)});
    CHECK(exited.result().code == 7);
    CHECK(exited.failed());
    const auto killed = after({unit("active"), unit("failed", "signal", CLD_KILLED, SIGTERM)});
    CHECK(killed.result().signal == SIGTERM);
    CHECK(killed.result().status() == 15); // the plain number
    CHECK(killed.failed());
    const auto fine = after({unit("active"), unit("inactive", "success", CLD_EXITED, 0)});
    CHECK_FALSE(fine.failed());
    CHECK(after({unit("active"), unit("failed", "oom-kill", CLD_KILLED, SIGKILL)}).result().oom);
}

TEST_CASE("app progress: a failed pre-start handler is a failure, with and without a post-stop handler (APP-10)")
{
    for (const auto& changes :
         {std::vector{unit("activating"), unit("failed", "exit-code")},
          std::vector{unit("activating"), unit("deactivating", "exit-code"), unit("failed", "exit-code")}}) {
        const auto progress = after(changes);
        REQUIRE(progress.has_ended());
        CHECK(progress.failed());
        CHECK(progress.failed_before_main());
        CHECK(progress.result().status() != 0);
    }
}

TEST_CASE("app progress: stopped inside the pod before it ran is no failure")
{
    const auto progress = after({unit("activating"), unit("deactivating"), unit("inactive")});
    CHECK_FALSE(progress.failed());
}
