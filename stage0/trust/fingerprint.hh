// SPDX-License-Identifier: Apache-2.0
// The fingerprint of an OpenPGP (v4) key: 40 lower-case hex digits, checked once.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace rocket::trust
{

class Fingerprint
{
public:
    static std::optional<Fingerprint> parse(std::string_view text);

    const std::string& str() const noexcept { return text_; }
    // As people compare it: "ABCD 0123 ... 4567  89AB ...", upper case, groups of four (cli 8.5).
    std::string grouped() const;

    std::strong_ordering operator<=>(const Fingerprint& other) const noexcept { return text_ <=> other.text_; }
    bool operator==(const Fingerprint&) const = default;

private:
    explicit Fingerprint(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

} // namespace rocket::trust
