// SPDX-License-Identifier: Apache-2.0
// The identity of an image: SHA-512 of its uncompressed tar (TYP-15..18). The specification writes all 128 hex digits,
// rkt and the store's directories the first 64. An ImageId knows 64 or all 128 of them; equality, order and hash look
// at the 64, which are enough to name an image and the only ones always known. Errors: Kind::usage.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace rocket::model
{

class ImageId
{
public:
    static constexpr std::size_t key_digits = 64;
    static constexpr std::size_t full_digits = 128;

    static ImageId parse(std::string_view text);                        // "sha512-" and 64 or 128 lower-case hex digits
    static ImageId of_sha512(std::span<const std::uint8_t, 64> digest); // full

    std::string key() const; // "sha512-" + 64 digits, 71 characters: directories, and what users see
    std::string str() const { return key(); }
    std::string digest() const; // "sha512-" + all digits that are known: manifests and records
    bool is_full() const noexcept { return hex_.size() == full_digits; }
    std::string shortened(std::size_t digits) const; // for tables: "sha512-" + the first `digits` of the key
    // Does not contradict `other` in any digit that both know.
    bool agrees_with(const ImageId& other) const noexcept;

    std::strong_ordering operator<=>(const ImageId& other) const noexcept { return key_hex() <=> other.key_hex(); }
    bool operator==(const ImageId& other) const noexcept { return key_hex() == other.key_hex(); }
    std::string_view key_hex() const noexcept { return std::string_view{hex_}.substr(0, key_digits); }

private:
    explicit ImageId(std::string hex) : hex_{std::move(hex)} {}
    std::string hex_;
};

// What a user may type for an image id: "sha512-" and at least two digits; what is beyond the key is cut (cli 4.1).
class ImageIdPrefix
{
public:
    static ImageIdPrefix parse(std::string_view text);
    // Is it meant as an image id rather than a name? Exactly one '-', behind "sha512".
    static bool looks_like(std::string_view text) noexcept;

    const std::string& str() const noexcept { return text_; } // "sha512-ab..."
    bool matches(const ImageId& id) const { return id.key_hex().starts_with(std::string_view{text_}.substr(7)); }

private:
    explicit ImageIdPrefix(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

} // namespace rocket::model

template <>
struct std::hash<rocket::model::ImageId> {
    std::size_t operator()(const rocket::model::ImageId& id) const noexcept
    {
        return std::hash<std::string_view>{}(id.key_hex());
    }
};
