// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/escape.hh"

namespace rocket::image
{

namespace
{

int hex_digit(char c)
{
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    const auto at = digits.find(c);
    return at == digits.npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
}

} // namespace

std::optional<std::string> unescaped(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

} // namespace rocket::image
