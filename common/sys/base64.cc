// SPDX-License-Identifier: Apache-2.0
#include "common/sys/base64.hh"

#include <algorithm>
#include <cstdint>

namespace rocket::text
{

namespace
{

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t bytes_of_group = 3, letters_of_group = 4;
constexpr unsigned bits_of_byte = 8, bits_of_letter = 6;

} // namespace

std::string encode_base64(std::string_view bytes)
{
    std::string base64;
    base64.reserve((bytes.size() + 2) / bytes_of_group * letters_of_group);
    for (std::size_t at = 0; at < bytes.size(); at += bytes_of_group) {
        const auto count = std::min(bytes_of_group, bytes.size() - at);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < bytes_of_group; ++i)
            group = group << bits_of_byte | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        for (std::size_t i = 0; i < letters_of_group; ++i) {
            const auto letter = group >> (bits_of_letter * (letters_of_group - 1 - i)) & (alphabet.size() - 1);
            base64 += i <= count ? alphabet[letter] : '=';
        }
    }
    return base64;
}

std::optional<std::string> decode_base64(std::string_view base64)
{
    if (base64.size() % letters_of_group != 0)
        return std::nullopt;
    const std::size_t padding = base64.ends_with("==") ? 2 : base64.ends_with('=') ? 1 : 0;
    base64.remove_suffix(padding);
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char letter : base64) {
        const auto value = alphabet.find(letter);
        if (value == std::string_view::npos)
            return std::nullopt;
        bits = bits << bits_of_letter | static_cast<std::uint32_t>(value);
        count += bits_of_letter;
        if (count >= bits_of_byte) {
            count -= bits_of_byte;
            bytes += static_cast<char>(bits >> count & 0xFFU);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0)
        return std::nullopt;
    return bytes;
}

} // namespace rocket::text
