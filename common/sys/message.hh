// SPDX-License-Identifier: Apache-2.0
// Messages between the broker and its workers: numbers and length-prefixed texts, nothing to be parsed. A reader checks
// every length and number against what its caller allows (R1). Errors: Kind::corrupt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rocket
{

class MessageWriter
{
public:
    MessageWriter& number(std::uint64_t value);
    MessageWriter& text(std::string_view value);
    std::string done() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class MessageReader
{
public:
    explicit MessageReader(std::string_view rest) : rest_{rest} {}

    std::uint64_t number(std::uint64_t max = UINT64_MAX);
    std::string text(std::size_t max);
    void end() const; // nothing is left

private:
    std::string_view take(std::size_t size);
    std::string_view rest_;
};

} // namespace rocket
