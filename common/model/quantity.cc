// SPDX-License-Identifier: Apache-2.0
#include "common/model/quantity.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

__extension__ using Wide = __int128;

constexpr Wide nano_per_unit = 1'000'000'000;
constexpr Wide most = Wide{INT64_MAX} * nano_per_unit;

// What a quantity is made of: digits without a point, the value being digits * 10^exponent * 2^shift.
struct Parts {
    std::string digits;
    std::int64_t exponent = 0;
    int shift = 0; // 0, 10, ... 60
};

struct Suffix {
    std::string_view text;
    int exponent;
    int shift;
};
constexpr Suffix suffixes[] = {{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},  {"k", 3, 0},  {"K", 3, 0},
                               {"M", 6, 0},   {"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0}, {"Ki", 0, 10},
                               {"Mi", 0, 20}, {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text)
{
    const auto count = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    const auto digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
}

bool take_sign(std::string_view& text) // true: minus
{
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+'))
        text.remove_prefix(1);
    return is_negative;
}

// The number behind 'e' or 'E'. Absurd ones are cut: they saturate, or round, all the same.
std::optional<std::int64_t> exponent_of(std::string_view text)
{
    const bool is_negative = take_sign(text);
    const auto digits = take_digits(text);
    if (digits.empty() || !text.empty())
        return std::nullopt;
    constexpr std::int64_t absurd = 1'000'000'000;
    const auto value = static_cast<std::int64_t>(
        text::parse_decimal(digits, static_cast<std::uint64_t>(absurd)).value_or(static_cast<std::uint64_t>(absurd)));
    return is_negative ? -value : value;
}

// digits * 2^10, exactly
std::string times_1024(const std::string& digits)
{
    std::string out(digits.size() + 4, '0');
    unsigned carry = 0;
    for (std::size_t i = 0; i < out.size(); ++i) { // from the right
        if (i < digits.size())
            carry += static_cast<unsigned>(digits[digits.size() - 1 - i] - '0') * 1024U;
        out[out.size() - 1 - i] = static_cast<char>('0' + carry % 10);
        carry /= 10;
    }
    return out;
}

// In multiples of 10^-9: what is finer is rounded up, what is larger than `most` is `most` (QTY-5, QTY-7).
Wide nano_of(Parts parts)
{
    for (int shift = parts.shift; shift > 0; shift -= 10)
        parts.digits = times_1024(parts.digits);
    parts.digits.erase(0, std::min(parts.digits.find_first_not_of('0'), parts.digits.size()));
    if (parts.digits.empty())
        return 0;
    // Where the point goes in terms of 10^-9: digits before it are the result, digits behind it are rounded up.
    const auto size = static_cast<std::int64_t>(parts.digits.size());
    const auto point = size + parts.exponent + 9;
    constexpr std::int64_t most_digits = 28; // of `most`, which is 9.2e27
    if (point > most_digits)
        return most;
    Wide value = 0;
    for (std::int64_t i = 0; i < point; ++i)
        value = value * 10 + (i < size ? parts.digits[static_cast<std::size_t>(i)] - '0' : 0);
    const auto behind = static_cast<std::size_t>(std::clamp<std::int64_t>(point, 0, size));
    if (parts.digits.find_first_not_of('0', behind) != std::string::npos)
        ++value;
    return std::min(value, most);
}

std::string decimal(Wide value)
{
    std::string text;
    do
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    while ((value /= 10) != 0);
    return text;
}

std::int64_t divided_up(Wide value, Wide by)
{
    return static_cast<std::int64_t>(std::min((value + by - 1) / by, Wide{INT64_MAX}));
}

} // namespace

Quantity Quantity::parse(std::string_view text)
{
    const auto refuse = [&](std::string_view why) {
        fail(Error::Kind::usage, "{} is not a valid quantity: {}", text::quoted(text), why);
    };
    std::string_view rest = text;
    const bool is_negative = take_sign(rest);
    Parts parts{.digits = std::string{take_digits(rest)}};
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        const auto fraction = take_digits(rest);
        parts.digits += fraction;
        parts.exponent = -static_cast<std::int64_t>(fraction.size());
    }
    if (parts.digits.empty())
        refuse("expected a number, as in 512Mi or 1.5");
    auto format = Format::decimal;
    if (const auto suffix = std::ranges::find(suffixes, rest, &Suffix::text); suffix != std::end(suffixes)) {
        parts.exponent += suffix->exponent;
        parts.shift = suffix->shift;
        format = suffix->shift > 0 ? Format::binary : Format::decimal;
    } else {
        const bool has_exponent = rest.starts_with('e') || rest.starts_with('E');
        const auto exponent = has_exponent ? exponent_of(rest.substr(1)) : std::nullopt;
        if (!exponent)
            refuse("the suffix must be one of n u m k M G T P E Ki Mi Gi Ti Pi Ei, or an exponent as in e3");
        parts.exponent += exponent.value_or(0);
        format = Format::exponent;
    }
    const auto nano = nano_of(std::move(parts));
    if (is_negative && nano != 0)
        refuse("it cannot be negative");
    return {nano, format};
}

Quantity Quantity::of_units(std::uint64_t units)
{
    return {std::min(Wide{units} * nano_per_unit, most), Format::decimal};
}

std::int64_t Quantity::ceil_units() const
{
    return divided_up(nano_, nano_per_unit);
}
std::int64_t Quantity::ceil_milli() const
{
    return divided_up(nano_, nano_per_unit / 1000);
}

std::string Quantity::str() const
{
    if (nano_ == 0)
        return "0";
    if (format_ == Format::binary && nano_ % nano_per_unit == 0 && nano_ >= 1024 * nano_per_unit) {
        constexpr std::array names{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
        auto value = nano_ / nano_per_unit;
        std::size_t power = 0;
        for (; value % 1024 == 0; ++power)
            value /= 1024;
        return decimal(value) + names[power];
    }
    constexpr std::array names{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    auto value = nano_;
    std::size_t power = 0;
    for (; value % 1000 == 0 && power + 1 < names.size(); ++power)
        value /= 1000;
    const int exponent = static_cast<int>(power) * 3 - 9;
    if (format_ == Format::exponent)
        return decimal(value) + (exponent == 0 ? "" : fmt::format("e{}", exponent));
    return decimal(value) + names[power];
}

} // namespace rocket::model
