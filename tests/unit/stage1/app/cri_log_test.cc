// SPDX-License-Identifier: Apache-2.0
#include "stage1/app/cri_log.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

constexpr std::int64_t now = 1'700'000'000'123'456'789; // 2023-11-14T22:13:20.123456789Z

std::optional<CriLogPlace> place(const char* mode, const char* directory, const char* path)
{
    const auto add = [](model::Annotations& to, const char* name, const char* value) {
        if (value != nullptr)
            model::set(to, model::AcIdentifier::parse(name), value);
    };
    model::PodManifest pod;
    model::RuntimeApp app{.name = model::AppName::parse("a"), .image = {}};
    add(pod.annotations, "coreos.com/rkt/experiment/logmode", mode);
    add(pod.annotations, "coreos.com/rkt/experiment/kubernetes-log-dir", directory);
    add(app.annotations, "coreos.com/rkt/experiment/kubernetes-log-path", path);
    return cri_log_place(pod, app);
}

} // namespace

TEST_CASE("CRI log: whole lines, pieces of long ones, and what waits for its end")
{
    std::string rest;
    CHECK(CriLog::format(rest, "stdout", "one\n\ntw", now) == "2023-11-14T22:13:20.123456789Z stdout F one\n"
                                                              "2023-11-14T22:13:20.123456789Z stdout F \n");
    CHECK(rest == "tw");
    CHECK(CriLog::format(rest, "stderr", "o\n", now) == "2023-11-14T22:13:20.123456789Z stderr F two\n");

    const std::string long_line(2 * CriLog::longest_piece + 10, 'x');
    const auto lines = CriLog::format(rest, "stdout", long_line + "\n", now);
    CHECK(lines.find(" stdout P " + std::string(CriLog::longest_piece, 'x') + "\n") != std::string::npos);
    CHECK(lines.ends_with(" stdout F xxxxxxxxxx\n"));
    CHECK(rest.empty());
}

TEST_CASE("CRI log: where it goes")
{
    CHECK_FALSE(place(nullptr, "/logs", "a"));
    CHECK(place("k8s-plain", "/logs", "a_0.log") == CriLogPlace{"/logs", "a_0.log"});
    CHECK(place("k8s-plain", "/logs", "/rkt/kubernetes/log/a.log") == CriLogPlace{"/logs", "a.log"});
    CHECK_THROWS_AS(place("json", "/logs", "a"), Error);
    CHECK_THROWS_AS(place("k8s-plain", nullptr, "a"), Error);
    CHECK_THROWS_AS(place("k8s-plain", "/logs", nullptr), Error);
    CHECK_THROWS_AS(place("k8s-plain", "logs", "a"), Error);
    for (const char* const bad :
         {"../a", "b/a", "/etc/a", "..", "", "/", "/rkt/kubernetes/log", "/rkt/kubernetes/logs/a"})
        CHECK_THROWS_AS(place("k8s-plain", "/logs", bad), Error);
}
