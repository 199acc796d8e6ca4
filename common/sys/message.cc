// SPDX-License-Identifier: Apache-2.0
#include "common/sys/message.hh"

#include "common/sys/error.hh"

namespace rocket
{

namespace
{

[[noreturn]] void fail_malformed(std::string_view what)
{
    fail(Error::Kind::corrupt, "a message of a worker is malformed: {}", what);
}

constexpr unsigned number_bytes = 8;

} // namespace

MessageWriter& MessageWriter::number(std::uint64_t value)
{
    for (unsigned i = 0; i < number_bytes; ++i)
        bytes_ += static_cast<char>(value >> 8 * i & 0xFFU);
    return *this;
}

MessageWriter& MessageWriter::text(std::string_view value)
{
    number(value.size());
    bytes_ += value;
    return *this;
}

std::uint64_t MessageReader::number(std::uint64_t max)
{
    std::uint64_t value = 0;
    const auto bytes = take(number_bytes);
    for (unsigned i = 0; i < number_bytes; ++i)
        value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    if (value > max)
        fail_malformed("a number is too large");
    return value;
}

std::string MessageReader::text(std::size_t max)
{
    return std::string{take(number(max))};
}

void MessageReader::end() const
{
    if (!rest_.empty())
        fail_malformed("it is too long");
}

std::string_view MessageReader::take(std::size_t size)
{
    if (size > rest_.size())
        fail_malformed("it is too short");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

} // namespace rocket
