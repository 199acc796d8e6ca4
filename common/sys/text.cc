// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace rocket::text
{

namespace
{

// The length of the UTF-8 sequence that starts at raw[0], or 0 if there is none (RFC 3629: no surrogates, no overlong).
std::size_t utf8_sequence(std::string_view raw)
{
    const auto byte = [&](std::size_t i) { return i < raw.size() ? static_cast<unsigned char>(raw[i]) : 0U; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const auto lead = byte(0);
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return follows(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = lead == 0xED && byte(1) > 0x9F;
        return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool overlong = lead == 0xF0 && byte(1) < 0x90;
        const bool too_big = lead == 0xF4 && byte(1) > 0x8F;
        return follows(1) && follows(2) && follows(3) && !overlong && !too_big ? 4 : 0;
    }
    return 0;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view raw, int base)
{
    Number number{};
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number, base);
    if (raw.empty() || error != std::errc{} || end != raw.data() + raw.size())
        return std::nullopt;
    return number;
}

// Characters that nobody sees, and that change what is seen: marks of zero width and of direction, line separators,
// the byte order mark.
bool is_invisible(std::string_view sequence)
{
    const auto in = [&](std::string_view first, std::string_view last) {
        return first <= sequence && sequence <= last;
    };
    return in("\xE2\x80\x8B", "\xE2\x80\x8F") || in("\xE2\x80\xA8", "\xE2\x80\xAE") ||
           in("\xE2\x81\xA0", "\xE2\x81\xAF") || sequence == "\xEF\xBB\xBF" || sequence == "\xD8\x9C";
}

std::string escaped(std::string_view raw, bool with_quotes)
{
    std::string out;
    for (std::size_t i = 0; i < raw.size();) {
        const char c = raw[i];
        const auto length = utf8_sequence(raw.substr(i));
        const auto byte = static_cast<unsigned char>(c);
        const bool c1_control = length == 2 && byte == 0xC2 && static_cast<unsigned char>(raw[i + 1]) < 0xA0;
        if (length == 0 || c1_control || is_invisible(raw.substr(i, length))) {
            out += fmt::format("\\x{:02x}", byte);
            i += 1;
            continue;
        }
        if (with_quotes && (c == '"' || c == '\\'))
            (out += '\\') += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\t')
            out += "\\t";
        else if (c == '\r')
            out += "\\r";
        else if (byte < 0x20 || byte == 0x7F)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += raw.substr(i, length);
        i += length;
    }
    return out;
}

} // namespace

std::string quoted(std::string_view raw)
{
    return '"' + escaped(raw, true) + '"';
}

std::string printable(std::string_view raw)
{
    return escaped(raw, false);
}

std::optional<std::uint64_t> parse_decimal(std::string_view raw, std::uint64_t max)
{
    const auto number = parse_number<std::uint64_t>(raw, 10); // from_chars takes no '+' and, unsigned, no '-'
    return number && *number <= max ? number : std::nullopt;
}

std::optional<std::uint64_t> parse_octal(std::string_view raw, std::uint64_t max)
{
    const auto number = parse_number<std::uint64_t>(raw, 8);
    return number && *number <= max ? number : std::nullopt;
}

std::optional<std::int64_t> parse_signed(std::string_view raw, std::int64_t min, std::int64_t max)
{
    const auto number = parse_number<std::int64_t>(raw, 10);
    return number && *number >= min && *number <= max ? number : std::nullopt;
}

std::optional<std::uint32_t> parse_id(std::string_view raw)
{
    const auto number = parse_decimal(raw, UINT32_MAX - 1);
    return number ? std::optional{static_cast<std::uint32_t>(*number)} : std::nullopt;
}

std::optional<bool> parse_bool(std::string_view raw)
{
    for (const char* yes : {"1", "t", "T", "TRUE", "true", "True"})
        if (raw == yes)
            return true;
    for (const char* no : {"0", "f", "F", "FALSE", "false", "False"})
        if (raw == no)
            return false;
    return std::nullopt;
}

std::vector<std::string> split(std::string_view whole, char separator)
{
    std::vector<std::string> parts;
    for (;;) {
        const auto end = whole.find(separator);
        parts.emplace_back(whole.substr(0, end));
        if (end == std::string_view::npos)
            return parts;
        whole.remove_prefix(end + 1);
    }
}

std::string_view trim(std::string_view raw)
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = raw.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return raw.substr(first, raw.find_last_not_of(blanks) - first + 1);
}

bool is_utf8(std::string_view raw)
{
    while (!raw.empty()) {
        const auto length = utf8_sequence(raw);
        if (length == 0)
            return false;
        raw.remove_prefix(length);
    }
    return true;
}

std::string hex(std::span<const std::uint8_t> bytes)
{
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const auto byte : bytes)
        fmt::format_to(std::back_inserter(out), "{:02x}", byte);
    return out;
}

bool is_lower_hex(std::string_view raw)
{
    return std::all_of(raw.begin(), raw.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

} // namespace rocket::text
