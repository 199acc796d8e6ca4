// SPDX-License-Identifier: Apache-2.0
#include "common/model/well_known.hh"

#include <algorithm>
#include <array>
#include <optional>

namespace rocket::model
{

namespace
{

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Reads a text of fixed form from the left.
class Scanner
{
public:
    explicit Scanner(std::string_view text) : rest_{text} {}

    bool literal(char c)
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }
    // Exactly `digits` digits, with a value from min to max.
    std::optional<int> number(std::size_t digits, int min, int max)
    {
        if (rest_.size() < digits || !std::ranges::all_of(rest_.substr(0, digits), is_digit))
            return std::nullopt;
        int value = 0;
        for (const char c : rest_.substr(0, digits))
            value = value * 10 + (c - '0');
        rest_.remove_prefix(digits);
        return value >= min && value <= max ? std::optional{value} : std::nullopt;
    }
    bool digits() // one or more
    {
        const auto count = static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_digit) - rest_.begin());
        rest_.remove_prefix(count);
        return count > 0;
    }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

int days_of(int year, int month)
{
    constexpr std::array days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap ? 1 : 0);
}

bool scan_day(Scanner& scanner)
{
    const auto year = scanner.number(4, 0, 9999);
    if (!year || !scanner.literal('-'))
        return false;
    const auto month = scanner.number(2, 1, 12);
    return month && scanner.literal('-') && scanner.number(2, 1, days_of(*year, *month));
}

bool scan_time(Scanner& scanner)
{
    if (!scanner.number(2, 0, 23) || !scanner.literal(':') || !scanner.number(2, 0, 59) || !scanner.literal(':') ||
        !scanner.number(2, 0, 59))
        return false;
    return !scanner.literal('.') || scanner.digits();
}

bool scan_zone(Scanner& scanner)
{
    if (scanner.literal('Z'))
        return true;
    if (!scanner.literal('+') && !scanner.literal('-'))
        return false;
    return scanner.number(2, 0, 23) && scanner.literal(':') && scanner.number(2, 0, 59);
}

} // namespace

bool is_date(std::string_view text) noexcept
{
    Scanner scanner{text};
    return scan_day(scanner) && scanner.literal('T') && scan_time(scanner) && scan_zone(scanner) && scanner.at_end();
}

bool is_web_url(std::string_view text) noexcept
{
    const std::string_view scheme = text.starts_with("https://") ? "https://" : "http://";
    if (!text.starts_with(scheme))
        return false;
    text.remove_prefix(scheme.size());
    const auto host = text.substr(0, text.find_first_of("/?#"));
    const auto is_visible = [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; };
    return !host.empty() && std::ranges::all_of(text, is_visible);
}

} // namespace rocket::model
