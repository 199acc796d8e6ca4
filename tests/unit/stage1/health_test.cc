// SPDX-License-Identifier: Apache-2.0
#include "stage1/health.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;
using Change = Health::Change;
using Status = Health::Status;

namespace
{

constexpr std::uint64_t second = 1'000'000;

model::HealthCheck check()
{
    return {.command = {"/check"}, .interval_usec = 10 * second, .retries = 2};
}

} // namespace

TEST_CASE("health: it takes some failures in a row to be unhealthy, and one pass to be healthy")
{
    Health health{check(), 0};
    CHECK(health.status() == Status::starting);
    CHECK(health.note(false, 1) == Change::none);
    CHECK(health.status() == Status::starting);
    CHECK(health.note(true, 2) == Change::to_healthy);
    CHECK(health.note(true, 3) == Change::none);
    CHECK(health.note(false, 4) == Change::none);
    CHECK(health.failing_streak() == 1);
    CHECK(health.note(false, 5) == Change::to_unhealthy);
    CHECK(health.status() == Status::unhealthy);
    CHECK(health.note(false, 6) == Change::none); // said once
    CHECK(health.failing_streak() == 3);
    CHECK(health.note(true, 7) == Change::to_healthy);
    CHECK(health.failing_streak() == 0);
    CHECK(health.delay(8) == 10 * second);
}

TEST_CASE("health: failures in the start period do not count, until it has passed once")
{
    auto with_period = check();
    with_period.start_period_usec = 100;
    with_period.start_interval_usec = second;
    Health health{with_period, 1000};
    for (int times = 0; times < 5; ++times)
        CHECK(health.note(false, 1099) == Change::none);
    CHECK(health.failing_streak() == 0);
    CHECK(health.delay(1099) == second);
    CHECK(health.delay(1100) == 10 * second);
    CHECK(health.note(true, 1050) == Change::to_healthy);
    CHECK(health.note(false, 1051) == Change::none);
    CHECK(health.note(false, 1052) == Change::to_unhealthy);
}

TEST_CASE("health: a startup check comes first, and has to pass as often as it is told")
{
    auto with_startup = check();
    with_startup.startup_command = {"/started"};
    with_startup.startup_interval_usec = 2 * second;
    with_startup.startup_timeout_usec = 3 * second;
    with_startup.startup_successes = 2;
    Health health{with_startup, 0};
    CHECK(health.checks_startup());
    CHECK(health.delay(1) == 2 * second);
    CHECK(health.timeout() == 3 * second);
    for (int times = 0; times < 9; ++times) // by default it may fail for ever
        CHECK(health.note(false, 1) == Change::none);
    CHECK(health.note(true, 1) == Change::none);
    CHECK(health.note(false, 1) == Change::none);
    CHECK(health.note(true, 1) == Change::none);
    CHECK(health.checks_startup()); // in a row
    CHECK(health.note(true, 1) == Change::none);
    CHECK_FALSE(health.checks_startup());
    CHECK(health.status() == Status::starting);
    CHECK(health.note(true, 1) == Change::to_healthy);

    with_startup.startup_retries = 1;
    CHECK(Health{with_startup, 0}.note(false, 1) == Change::to_unhealthy);
}
