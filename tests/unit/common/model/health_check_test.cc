// SPDX-License-Identifier: Apache-2.0
#include "common/model/health_check.hh"

#include <doctest/doctest.h>

#include "common/model/app_policy.hh"
#include "common/model/time_span.hh"
#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

using Words = std::vector<std::string>;

Annotations annotations(std::initializer_list<std::pair<const char*, const char*>> list)
{
    Annotations all;
    for (const auto& [name, value] : list)
        all.push_back({.name = AcIdentifier::parse(name), .value = value});
    return all;
}

std::string value(const Annotations& all, const char* name)
{
    const auto* const found = find(all, name);
    return found != nullptr ? *found : "(none)";
}

} // namespace

TEST_CASE("health check: what a command is written as")
{
    CHECK(parse_health_command("curl -f localhost || exit 1") == Words{"/bin/sh", "-c", "curl -f localhost || exit 1"});
    CHECK(parse_health_command("CMD-SHELL true") == Words{"/bin/sh", "-c", "true"});
    CHECK(parse_health_command(R"(["CMD","/check","a b"])") == Words{"/check", "a b"});
    CHECK(parse_health_command(R"(["/check"])") == Words{"/check"});
    CHECK(parse_health_command(R"(["CMD-SHELL","a && b"])") == Words{"/bin/sh", "-c", "a && b"});
    CHECK(parse_health_command("none").empty());
    CHECK(parse_health_command(R"(["NONE"])").empty());
    for (const char* bad :
         {"", " ", "[", "[1]", R"(["CMD"])", R"(["CMD-SHELL"])", R"(["CMD-SHELL","a","b"])", "CMD /check"}) {
        CAPTURE(std::string{bad});
        CHECK_THROWS_AS(parse_health_command(bad), Error);
    }
}

TEST_CASE("health check: every annotation")
{
    const auto policy = policy_of(annotations({{"rocket/health-cmd", "[\"/c\"]"},
                                               {"rocket/health-interval", "1m30s"},
                                               {"rocket/health-timeout", "5s"},
                                               {"rocket/health-start-period", "0"},
                                               {"rocket/health-start-interval", "100ms"},
                                               {"rocket/health-retries", "1"},
                                               {"rocket/health-on-failure", "restart"},
                                               {"rocket/health-startup-cmd", "[\"/s\"]"},
                                               {"rocket/health-startup-interval", "1"},
                                               {"rocket/health-startup-timeout", "2"},
                                               {"rocket/health-startup-retries", "3"},
                                               {"rocket/health-startup-success", "4"},
                                               {"rocket/notify", "healthy"}}));
    CHECK(policy.health == HealthCheck{.command = {"/c"},
                                       .interval_usec = 90'000'000,
                                       .timeout_usec = 5'000'000,
                                       .start_period_usec = 0,
                                       .start_interval_usec = 100'000,
                                       .retries = 1,
                                       .on_failure = HealthCheck::Action::restart,
                                       .startup_command = {"/s"},
                                       .startup_interval_usec = 1'000'000,
                                       .startup_timeout_usec = 2'000'000,
                                       .startup_retries = 3,
                                       .startup_successes = 4});
    CHECK(policy.restarts()); // though nothing is said of crashes
    CHECK(word(policy.health.on_failure) == "restart");
}

TEST_CASE("health check: what makes no sense is refused")
{
    const std::initializer_list<std::pair<const char*, const char*>> bad[] = {
        {{"rocket/health-cmd", ""}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-interval", "0"}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-interval", "1us"}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-timeout", "disable"}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-retries", "0"}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-retries", "-1"}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-on-failure", "reboot"}},
        {{"rocket/health-cmd", "x"}, {"rocket/health-colour", "red"}},
        {{"rocket/health-interval", "5s"}},
        {{"rocket/notify", "healthy"}},
        {{"rocket/notify", "healthy"}, {"rocket/health-cmd", "none"}},
    };
    for (const auto& one : bad)
        CHECK_THROWS_AS(policy_of(annotations(one)), Error);
    CHECK_FALSE(policy_of(annotations({{"rocket/health-cmd", "none"}, {"rocket/health-interval", "5s"}})).is_checked());
}

TEST_CASE("health check: HEALTHCHECK of a Docker image")
{
    const auto all = health_annotations_of_image(
        R"({"Test":["CMD-SHELL","curl -f x"],"Interval":5000000000,"Timeout":1000000,"StartPeriod":0,"StartInterval":1,"Retries":7})");
    CHECK(value(all, "rocket/health-cmd") == R"(["CMD-SHELL","curl -f x"])");
    CHECK(value(all, "rocket/health-interval") == "5000000us");
    CHECK(value(all, "rocket/health-timeout") == "10000us"); // shorter than is possible
    CHECK(value(all, "rocket/health-start-period") == "(none)");
    CHECK(value(all, "rocket/health-start-interval") == "10000us");
    CHECK(value(all, "rocket/health-retries") == "7");
    CHECK(policy_of(all).health.command == Words{"/bin/sh", "-c", "curl -f x"});
    CHECK(health_annotations_of_image(R"({"Test":["NONE"]})").empty());
    CHECK(health_annotations_of_image(R"({"Test":[]})").empty());
    CHECK(health_annotations_of_image("{}").empty());
    for (const char* bad :
         {"[]", "x", R"({"Test":"x"})", R"({"Test":["CMD","a"],"Retries":-1})", R"({"Test":["CMD","a"],"Interval":-1})",
          R"({"Test":["CMD","a"],"Interval":99999999999999999})"}) {
        CAPTURE(std::string{bad});
        CHECK_THROWS_AS(health_annotations_of_image(bad), Error);
    }
}

TEST_CASE("time spans")
{
    CHECK(parse_time_span("5") == 5'000'000);
    CHECK(parse_time_span("2m") == 120'000'000);
    CHECK(parse_time_span("1h2min3s4ms5us") == 3'723'004'005);
    for (const char* bad : {"", "x", "5x", "5s5", "s", "-1", "5 s", "1d", "99999999999999999999", "9000h9999h"}) {
        CAPTURE(std::string{bad});
        CHECK_THROWS_AS(parse_time_span(bad), Error);
    }
}
