// SPDX-License-Identifier: Apache-2.0
#include "common/model/image_id.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::string_view prefix = "sha512-";

// The hex digits of "sha512-HEX"; the errors are those of TYP-16.
std::string_view hex_of(std::string_view text)
{
    const auto refuse = [&](std::string_view why) {
        fail(Error::Kind::usage, "{} is not a valid image ID: {}", text::quoted(text), why);
    };
    if (std::ranges::count(text, '-') != 1)
        refuse("expected sha512- and a digest");
    const auto dash = text.find('-');
    if (dash == 0)
        refuse("the type of the digest is missing");
    if (text.substr(0, dash + 1) != prefix)
        refuse("the only type of digest is sha512");
    const auto hex = text.substr(dash + 1);
    if (hex.empty())
        refuse("the digest is empty");
    if (!text::is_lower_hex(hex))
        refuse("the digest must be lower-case hex digits");
    return hex;
}

} // namespace

ImageId ImageId::parse(std::string_view text)
{
    const auto hex = hex_of(text);
    if (hex.size() != key_digits && hex.size() != full_digits)
        fail(Error::Kind::usage, "{} is not a valid image ID: it has {} hex digits instead of {} or {}",
             text::quoted(text), hex.size(), full_digits, key_digits);
    return ImageId{std::string{hex}};
}

ImageId ImageId::of_sha512(std::span<const std::uint8_t, 64> digest)
{
    return ImageId{text::hex(digest)};
}

std::string ImageId::key() const
{
    return fmt::format("{}{}", prefix, key_hex());
}
std::string ImageId::digest() const
{
    return fmt::format("{}{}", prefix, hex_);
}
std::string ImageId::shortened(std::size_t digits) const
{
    return fmt::format("{}{}", prefix, key_hex().substr(0, digits));
}

bool ImageId::agrees_with(const ImageId& other) const noexcept
{
    const auto known = std::min(hex_.size(), other.hex_.size());
    return std::string_view{hex_}.substr(0, known) == std::string_view{other.hex_}.substr(0, known);
}

ImageIdPrefix ImageIdPrefix::parse(std::string_view text)
{
    const auto hex = hex_of(text);
    if (hex.size() < 2)
        throw Error{Error::Kind::usage, fmt::format("image ID too short: {}", text::quoted(text)),
                    "give at least two digits of it; 'rocket image list' shows them all"};
    return ImageIdPrefix{fmt::format("{}{}", prefix, hex.substr(0, ImageId::key_digits))};
}

bool ImageIdPrefix::looks_like(std::string_view text) noexcept
{
    return text.starts_with(prefix) && std::ranges::count(text, '-') == 1;
}

} // namespace rocket::model
