// SPDX-License-Identifier: Apache-2.0
#include "common/model/time_span.hh"

#include <algorithm>
#include <array>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::uint64_t longest = 366ULL * 24 * 3'600'000'000;

struct Unit {
    std::string_view word;
    std::uint64_t usec;
};
constexpr std::array<Unit, 7> units{{{"us", 1},
                                     {"ms", 1'000},
                                     {"s", 1'000'000},
                                     {"sec", 1'000'000},
                                     {"m", 60'000'000},
                                     {"min", 60'000'000},
                                     {"h", 3'600'000'000}}};

// The digits, or whatever else, at the beginning, which are taken away.
std::string_view take(std::string_view& rest, bool digits)
{
    constexpr std::string_view all_digits = "0123456789";
    const auto end =
        std::min(digits ? rest.find_first_not_of(all_digits) : rest.find_first_of(all_digits), rest.size());
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(end);
    return taken;
}

[[noreturn]] void reject(std::string_view whole)
{
    fail(Error::Kind::usage, "{} is no time: write a number and ms, s, min or h, as in 5s", text::quoted(whole));
}

} // namespace

std::uint64_t parse_time_span(std::string_view whole)
{
    auto rest = whole;
    std::uint64_t sum = 0;
    do {
        const auto number = text::parse_decimal(take(rest, true), longest);
        const auto word = take(rest, false);
        const bool is_seconds = word.empty() && sum == 0; // a number, and nothing else
        const auto* const unit = std::ranges::find(units, is_seconds ? "s" : word, &Unit::word);
        if (!number || unit == units.end() || *number > (longest - sum) / unit->usec)
            reject(whole);
        sum += *number * unit->usec;
    } while (!rest.empty());
    return sum;
}

} // namespace rocket::model
