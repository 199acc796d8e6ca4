// SPDX-License-Identifier: Apache-2.0
// Reading OpenPGP packets byte by byte. Errors: Kind::corrupt.
#pragma once

#include <cstddef>
#include <string_view>

#include "common/sys/error.hh"

namespace rocket::openpgp
{

// Takes bytes from the left; running out of them is an error.
class Bytes
{
public:
    explicit Bytes(std::string_view rest) : rest_{rest} {}

    bool empty() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

    std::string_view take(std::size_t count)
    {
        if (count > rest_.size())
            fail(Error::Kind::corrupt, "an OpenPGP packet is cut off");
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    std::size_t number(std::size_t size) // big-endian
    {
        std::size_t value = 0;
        for (const char byte : take(size))
            value = value << 8U | static_cast<unsigned char>(byte);
        return value;
    }

private:
    std::string_view rest_;
};

} // namespace rocket::openpgp
