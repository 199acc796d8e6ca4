// SPDX-License-Identifier: Apache-2.0
// An amount of a resource: "512Mi", "1.5", "500m", "1e3" (QTY-1..9). Exact: multiples of 10^-9 in integers; what is
// finer is rounded up, what is beyond 2^63-1 is 2^63-1. Never negative. Errors: Kind::usage.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace rocket::model
{

class Quantity
{
public:
    static Quantity parse(std::string_view text);
    static Quantity of_units(std::uint64_t units);

    std::int64_t ceil_units() const; // whole units, rounded up: bytes, operations
    std::int64_t ceil_milli() const; // thousandths, rounded up, saturated: CPU time
    bool is_zero() const noexcept { return nano_ == 0; }
    std::string str() const; // canonical (QTY-9)

    std::strong_ordering operator<=>(const Quantity& other) const noexcept { return nano_ <=> other.nano_; }
    bool operator==(const Quantity& other) const noexcept { return nano_ == other.nano_; }

private:
    __extension__ using Nano = __int128;
    enum class Format { decimal, binary, exponent };
    Quantity(Nano nano, Format format) : nano_{nano}, format_{format} {}

    Nano nano_;
    Format format_;
};

} // namespace rocket::model
