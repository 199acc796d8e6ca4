// SPDX-License-Identifier: Apache-2.0
// An address of either family, checked once; str() is its canonical spelling.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace rocket::model
{

class IpAddress
{
public:
    static std::optional<IpAddress> parse(const std::string& text); // no prefix, no zone, no brackets
    static IpAddress mask(unsigned prefix);                         // 255.255.255.0, of IPv4

    bool is_v6() const noexcept { return is_v6_; }
    unsigned bits() const noexcept { return is_v6_ ? 128 : 32; }
    std::string str() const;
    IpAddress network(unsigned prefix) const; // the rest is zero
    const unsigned char* data() const noexcept { return bytes_.data(); }
    bool operator==(const IpAddress&) const = default;

private:
    std::array<unsigned char, 16> bytes_{};
    bool is_v6_ = false;
};

} // namespace rocket::model
