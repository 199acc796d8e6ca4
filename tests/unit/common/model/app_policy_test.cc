// SPDX-License-Identifier: Apache-2.0
#include "common/model/app_policy.hh"

#include <doctest/doctest.h>

#include "common/model/pod_manifest.hh"
#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

Annotations annotations(std::initializer_list<std::pair<const char*, const char*>> list)
{
    Annotations all;
    for (const auto& [name, value] : list)
        all.push_back({.name = AcIdentifier::parse(name), .value = value});
    return all;
}

PodManifest pod(std::initializer_list<std::pair<const char*, const char*>> apps_and_what_they_are_after)
{
    PodManifest manifest;
    for (const auto& [name, after] : apps_and_what_they_are_after) {
        RuntimeApp app{.name = AppName::parse(name), .image = {.id = ImageId::parse("sha512-" + std::string(64, 'a'))}};
        app.app = App{.exec = {"/x"}, .user = "0", .group = "0"};
        if (*after != 0)
            app.annotations = annotations({{"rocket/after", after}});
        manifest.apps.push_back(std::move(app));
    }
    return manifest;
}

} // namespace

TEST_CASE("app policy: without a word, as rkt")
{
    const auto policy = policy_of(annotations({{"example.com/other", "x"}, {"rocketry/restart", "x"}}));
    CHECK(policy == AppPolicy{});
    CHECK_FALSE(policy.restarts());
    CHECK(policy.failure_ends_pod);
}

TEST_CASE("app policy: every annotation (L3)")
{
    const auto policy = policy_of(annotations({{"rocket/restart", "on-failure"},
                                               {"rocket/restart-sec", "250ms"},
                                               {"rocket/start-limit-burst", "3"},
                                               {"rocket/start-limit-interval-sec", "2min"},
                                               {"rocket/after", "a, b"},
                                               {"rocket/requires", "c"},
                                               {"rocket/on-failure", "keep-pod"},
                                               {"rocket/stop-signal", "SIGQUIT"},
                                               {"rocket/stop-timeout-sec", "90"}}));
    const auto name = [](const char* text) { return AppName::parse(text); };
    CHECK(policy == AppPolicy{.restart = AppPolicy::Restart::on_failure,
                              .restart_usec = 250'000,
                              .start_limit_burst = 3,
                              .start_limit_usec = 120'000'000,
                              .after = {name("a"), name("b"), name("c")},
                              .needs = {name("c")},
                              .failure_ends_pod = false,
                              .stop_timeout_usec = 90'000'000,
                              .stop_signal = SIGQUIT});
    for (const char* word_of : {"no", "on-success", "on-failure", "on-abnormal", "on-abort", "always"})
        CHECK(word(policy_of(annotations({{"rocket/restart", word_of}})).restart) == word_of);
}

TEST_CASE("app policy: signals as images name them (OMAP-8)")
{
    CHECK(parse_signal("SIGQUIT") == SIGQUIT);
    CHECK(parse_signal("QUIT") == SIGQUIT);
    CHECK(parse_signal("9") == 9);
    CHECK(parse_signal("SIGRTMIN+3") == SIGRTMIN + 3);
    for (const char* none : {"", "SIG", "0", "65", "-1", "SIGRTMIN+31", "RTMIN+", "sigquit"})
        CHECK_FALSE(parse_signal(none));
}

TEST_CASE("app policy: what makes no sense is refused, not ignored")
{
    const std::pair<const char*, const char*> bad[] = {
        {"rocket/restart", "yes"},
        {"rocket/restart", "on-watchdog"},
        {"rocket/restart-sec", ""},
        {"rocket/restart-sec", "-1"},
        {"rocket/restart-sec", "5 s"},
        {"rocket/restart-sec", "1d"},
        {"rocket/restart-sec", "99999999999999999999"},
        {"rocket/start-limit-burst", "0"},
        {"rocket/start-limit-interval-sec", "x"},
        {"rocket/after", ","},
        {"rocket/after", "No_Name"},
        {"rocket/on-failure", "continue"},
        {"rocket/stop-signal", "SIGNOPE"},
        {"rocket/stop-signal", "65"},
        {"rocket/restrt", "no"},
    };
    for (const auto& one : bad) {
        CAPTURE(one.first);
        CAPTURE(one.second);
        CHECK_THROWS_AS(policy_of(annotations({one})), Error);
    }
}

TEST_CASE("app policy: the apps named are others of the pod, and nobody waits for itself")
{
    CHECK_NOTHROW(check_reified(pod({{"a", "b,c"}, {"b", "c"}, {"c", ""}})));
    CHECK_THROWS_WITH_AS(check_reified(pod({{"a", "x"}})), "app \"a\": app \"a\" cannot be started after \"x\"", Error);
    CHECK_THROWS_AS(check_reified(pod({{"a", "a"}})), Error);
    CHECK_THROWS_WITH_AS(check_reified(pod({{"ok", ""}, {"a", "b"}, {"b", "c"}, {"c", "a"}})),
                         "app \"a\" waits for an app that waits for it", Error);
}
