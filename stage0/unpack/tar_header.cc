// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/tar_header.hh"

#include <limits>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::unpack
{

namespace
{

[[noreturn]] void refuse(const TarField& field)
{
    fail(Error::Kind::corrupt, "the tar header's field {} is not a number", text::quoted(field.name));
}

std::int64_t base256(std::string_view digits, const TarField& field)
{
    // Two's complement, of which bit 0x80 of the first byte is the mark and 0x40 the sign.
    const bool negative = (static_cast<unsigned char>(digits[0]) & 0x40U) != 0;
    std::int64_t value = negative ? -1 : 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        auto byte = static_cast<unsigned char>(digits[i]);
        if (i == 0 && !negative)
            byte &= 0x7FU;
        if (value > (std::numeric_limits<std::int64_t>::max() >> 8) ||
            value < (std::numeric_limits<std::int64_t>::min() >> 8))
            refuse(field);
        value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 8U | byte);
    }
    return value;
}

} // namespace

bool tar_checksum_is_right(std::string_view block) noexcept
{
    std::int64_t unsigned_sum = 0;
    std::int64_t signed_sum = 0;
    for (std::size_t i = 0; i < tar_block; ++i) {
        const bool own = i >= tar_field::checksum.at && i < tar_field::checksum.at + tar_field::checksum.size;
        const char c = own ? ' ' : block[i];
        unsigned_sum += static_cast<unsigned char>(c);
        signed_sum += static_cast<signed char>(c);
    }
    try {
        const auto stated = tar_number(block, tar_field::checksum);
        return stated == unsigned_sum || stated == signed_sum;
    } catch (const Error&) {
        return false;
    }
}

std::int64_t tar_number(std::string_view block, const TarField& field)
{
    auto digits = block.substr(field.at, field.size);
    if ((static_cast<unsigned char>(digits[0]) & 0x80U) != 0)
        return base256(digits, field);
    const auto first = digits.find_first_not_of(' ');
    digits.remove_prefix(first == digits.npos ? digits.size() : first);
    digits = digits.substr(0, digits.find_first_of(std::string_view{" \0", 2}));
    if (digits.empty())
        return 0;
    const auto value = text::parse_octal(digits, std::numeric_limits<std::int64_t>::max());
    if (!value)
        refuse(field);
    return static_cast<std::int64_t>(*value);
}

} // namespace rocket::unpack
