// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/values.hh"

#include <array>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::cli
{

namespace
{

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

// Longer names first: "ms" must not be read as "m" and a stray "s".
constexpr std::array<Unit, 8> units{{{"ns", 1},
                                     {"us", 1'000},
                                     {"\u00b5s", 1'000},
                                     {"\u03bcs", 1'000},
                                     {"ms", 1'000'000},
                                     {"s", 1'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"h", 3'600'000'000'000}}};

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Takes "1.5" off the front; nothing if there is no digit at all.
bool take_decimal(std::string_view& rest, long double& value)
{
    long double scale = 1;
    bool digits = false;
    value = 0;
    for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1), digits = true)
        value = value * 10 + (rest.front() - '0');
    if (rest.empty() || rest.front() != '.')
        return digits;
    rest.remove_prefix(1);
    for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1), digits = true)
        value += (scale /= 10) * static_cast<long double>(rest.front() - '0');
    return digits;
}

const Unit* take_unit(std::string_view& rest)
{
    for (const auto& unit : units)
        if (rest.starts_with(unit.name)) {
            rest.remove_prefix(unit.name.size());
            return &unit;
        }
    return nullptr;
}

} // namespace

nanoseconds parse_duration(std::string_view raw)
{
    auto rest = raw;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+'))
        rest.remove_prefix(1);
    if (rest == "0")
        return 0ns;
    long double total = 0;
    const auto refuse = [&](std::string_view why) {
        fail(Error::Kind::usage, "{} is not a duration: {}", text::quoted(raw), why);
    };
    if (rest.empty())
        refuse("it is empty");
    while (!rest.empty()) {
        long double value{};
        if (!take_decimal(rest, value))
            refuse("it must be numbers with units, like 1h30m");
        const auto* unit = take_unit(rest);
        if (!unit)
            refuse("a number needs one of the units ns, us, ms, s, m, h");
        total += value * static_cast<long double>(unit->nanoseconds);
        if (total >= 0x1p63L)
            refuse("it is too long");
    }
    const auto count = std::llround(total);
    return nanoseconds{negative ? -count : count};
}

std::string format_duration(nanoseconds value)
{
    if (value == 0ns)
        return "0s";
    const std::string sign = value < 0ns ? "-" : "";
    const auto count =
        value < 0ns ? 0ULL - static_cast<std::uint64_t>(value.count()) : static_cast<std::uint64_t>(value.count());
    if (count < 1'000)
        return fmt::format("{}{}ns", sign, count);
    if (count < 1'000'000)
        return fmt::format("{}{}\u00b5s", sign, static_cast<double>(count) / 1e3);
    if (count < 1'000'000'000)
        return fmt::format("{}{}ms", sign, static_cast<double>(count) / 1e6);
    const auto whole = count / 1'000'000'000;
    const auto seconds = static_cast<double>(whole % 60) + static_cast<double>(count % 1'000'000'000) / 1e9;
    if (whole < 60)
        return fmt::format("{}{}s", sign, seconds);
    if (whole < 3600)
        return fmt::format("{}{}m{}s", sign, whole / 60, seconds);
    return fmt::format("{}{}h{}m{}s", sign, whole / 3600, whole / 60 % 60, seconds);
}

std::string relative_time(Time then, Time now)
{
    constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour, week = 7 * day, month = 30 * day,
                           year = 12 * month;
    struct Step {
        std::int64_t below; // seconds
        std::string_view text;
        std::int64_t divisor = 0; // 0: the text has no number
    };
    constexpr std::array<Step, 16> steps{{{1, "now"},
                                          {2, "1 second"},
                                          {minute, "{} seconds", 1},
                                          {2 * minute, "1 minute"},
                                          {hour, "{} minutes", minute},
                                          {2 * hour, "1 hour"},
                                          {day, "{} hours", hour},
                                          {2 * day, "1 day"},
                                          {week, "{} days", day},
                                          {2 * week, "1 week"},
                                          {month, "{} weeks", week},
                                          {2 * month, "1 month"},
                                          {year, "{} months", month},
                                          {18 * month, "1 year"},
                                          {2 * year, "2 years"},
                                          {37 * year, "{} years", year}}};
    const auto age = std::chrono::floor<std::chrono::seconds>(now > then ? now - then : then - now).count();
    const std::string_view direction = now >= then ? "ago" : "from now";
    for (const auto& step : steps)
        if (age < step.below) {
            if (step.below == 1)
                return std::string{step.text};
            return fmt::format("{} {}", fmt::format(fmt::runtime(step.text), step.divisor ? age / step.divisor : 0),
                               direction);
        }
    return fmt::format("a long while {}", direction);
}

std::string long_time(Time then)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(then);
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(then - seconds).count();
    const auto clock = static_cast<std::time_t>(seconds.time_since_epoch().count());
    std::tm parts{};
    localtime_r(&clock, &parts);
    std::array<char, 64> date{}, zone{};
    std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts);
    std::strftime(zone.data(), zone.size(), "%z %Z", &parts);
    auto fraction = milliseconds > 0 ? fmt::format(".{:03}", milliseconds) : std::string{};
    while (fraction.ends_with('0'))
        fraction.pop_back();
    return fmt::format("{}{} {}", date.data(), fraction, zone.data());
}

std::string binary_size(std::uint64_t bytes)
{
    constexpr std::array<std::string_view, 7> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 10)
        return fmt::format("{}B", bytes);
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < names.size(); ++unit)
        value /= 1024;
    const auto tenths = std::floor(value * 10 + 0.5) / 10;
    return tenths < 10 ? fmt::format("{:.1f}{}", tenths, names[unit]) : fmt::format("{:.0f}{}", tenths, names[unit]);
}

Time now()
{
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

} // namespace rocket::cli
