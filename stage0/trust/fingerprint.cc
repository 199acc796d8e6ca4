// SPDX-License-Identifier: Apache-2.0
#include "stage0/trust/fingerprint.hh"

#include <algorithm>
#include <cctype>

#include "common/sys/text.hh"

namespace rocket::trust
{

namespace
{

constexpr std::size_t digits = 40;
constexpr std::size_t group = 4;

} // namespace

std::optional<Fingerprint> Fingerprint::parse(std::string_view text)
{
    if (text.size() != digits || !text::is_lower_hex(text))
        return std::nullopt;
    return Fingerprint{std::string{text}};
}

std::string Fingerprint::grouped() const
{
    std::string shown;
    for (std::size_t at = 0; at < digits; at += group) {
        if (at == digits / 2)
            shown += "  ";
        else if (at > 0)
            shown += ' ';
        std::ranges::transform(text_.substr(at, group), std::back_inserter(shown),
                               [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
    return shown;
}

} // namespace rocket::trust
