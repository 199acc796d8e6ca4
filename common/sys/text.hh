// SPDX-License-Identifier: Apache-2.0
// Strings and numbers that come from outside: one strict parser each, and one way to print them safely.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::text
{

// Go-quoted: "..." with backslash escapes, so that no control character or invalid UTF-8 reaches a terminal.
std::string quoted(std::string_view raw);
// Control characters and invalid UTF-8 escaped as \xNN, but not put in quotes.
std::string printable(std::string_view raw);

// Decimal digits only: no sign, no space, no overflow (security rule R10). nullopt if it is not that.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view raw, std::uint64_t max = UINT64_MAX);
[[nodiscard]] std::optional<std::uint64_t> parse_octal(std::string_view raw, std::uint64_t max = UINT64_MAX);
[[nodiscard]] std::optional<std::int64_t> parse_signed(std::string_view raw, std::int64_t min, std::int64_t max);
// User and group ids: 0 ... 4294967294. The last one, (uid_t)-1, means "do not change" to the kernel.
[[nodiscard]] std::optional<std::uint32_t> parse_id(std::string_view raw);
// The bool spellings of the command line and of appc object strings: 1 t T TRUE true True, 0 f F FALSE false False.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view raw);

std::vector<std::string> split(std::string_view whole, char separator); // "" gives one empty part
std::string_view trim(std::string_view raw);                            // blanks, tabs, CR, LF at both ends
bool is_utf8(std::string_view raw);

std::string hex(std::span<const std::uint8_t> bytes); // lower case
bool is_lower_hex(std::string_view raw);

} // namespace rocket::text
