// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "common/sys/error.hh"
#include "stage0/cli/table.hh"
#include "stage0/cli/values.hh"

using namespace rocket;
using namespace rocket::cli;
using namespace std::chrono_literals;

TEST_CASE("duration: Go syntax")
{
    CHECK(parse_duration("0") == 0ns);
    CHECK(parse_duration("1h30m") == 90min);
    CHECK(parse_duration("1.5h") == 90min);
    CHECK(parse_duration("-2ms") == -2ms);
    CHECK(parse_duration("+3us") == 3us);
    CHECK(parse_duration("3\u00b5s") == 3us);
    CHECK(parse_duration(".5s") == 500ms);
    for (const char* bad : {"", "5", "-", "1", "5x", "s", ".s", "1h 2m", " 1s", "1e3s", "9999999999h", "--1s"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_duration(bad), Error);
    }
}

TEST_CASE("duration: printed as Go prints it")
{
    CHECK(format_duration(0ns) == "0s");
    CHECK(format_duration(30min) == "30m0s");
    CHECK(format_duration(24h) == "24h0m0s");
    CHECK(format_duration(90s + 500ms) == "1m30.5s");
    CHECK(format_duration(1500us) == "1.5ms");
    CHECK(format_duration(-5s) == "-5s");
}

TEST_CASE("relative time: every step of the scale")
{
    const Time then{1'000'000'000s};
    const auto day = 24h;
    struct {
        std::chrono::seconds age;
        const char* text;
    } const cases[] = {{0s, "now"},
                       {1s, "1 second ago"},
                       {2s, "2 seconds ago"},
                       {59s, "59 seconds ago"},
                       {60s, "1 minute ago"},
                       {119s, "1 minute ago"},
                       {120s, "2 minutes ago"},
                       {1h, "1 hour ago"},
                       {2h, "2 hours ago"},
                       {day, "1 day ago"},
                       {2 * day, "2 days ago"},
                       {7 * day, "1 week ago"},
                       {14 * day, "2 weeks ago"},
                       {30 * day, "1 month ago"},
                       {60 * day, "2 months ago"},
                       {360 * day, "1 year ago"},
                       {540 * day, "2 years ago"},
                       {3 * 360 * day, "3 years ago"},
                       {37 * 360 * day, "a long while ago"}};
    for (const auto& expected : cases) {
        CAPTURE(expected.text);
        CHECK(relative_time(then, then + expected.age) == expected.text);
    }
    CHECK(relative_time(then + 2h, then) == "2 hours from now");
}

TEST_CASE("long time: local zone, trailing zeros of the fraction dropped")
{
    ::setenv("TZ", "XYZ-2", 1);
    ::tzset();
    CHECK(long_time(Time{1'463'558'855s + 310ms}) == "2016-05-18 10:07:35.31 +0200 XYZ");
    CHECK(long_time(Time{1'463'558'855s}) == "2016-05-18 10:07:35 +0200 XYZ");
    CHECK(long_time(Time{1'463'558'855s + 5ms}) == "2016-05-18 10:07:35.005 +0200 XYZ");
    ::unsetenv("TZ");
    ::tzset();
}

TEST_CASE("binary size")
{
    CHECK(binary_size(9) == "9B");
    CHECK(binary_size(1023) == "1023B");
    CHECK(binary_size(5'452'595) == "5.2MiB");
    CHECK(binary_size(150'000'000) == "143MiB");
    CHECK(binary_size(1ULL << 40U) == "1.0TiB");
}

TEST_CASE("table: TABs only, and none after the last cell")
{
    CHECK(layout({{"UUID", "APP", "STATE"}, {"5bc080ca", "redis", ""}}) == "UUID\t\tAPP\tSTATE\n5bc080ca\tredis\t\n");
    CHECK(layout({{"1234567", "x"}, {"12345678", "y"}}) == "1234567\t\tx\n12345678\ty\n");
    CHECK(layout({{"", "x"}}) == "\tx\n");
    CHECK(layout({{"\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc", "x"}}) ==
          "\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\u00fc\tx\n"); // characters, not bytes
}
