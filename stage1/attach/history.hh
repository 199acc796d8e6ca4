// SPDX-License-Identifier: Apache-2.0
// The last lines of an output, for whoever attaches later: bounded, and beginning with a whole line where there is one.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace rocket::stage1::attach
{

class History
{
public:
    static constexpr std::size_t capacity = 64U << 10U;

    void add(std::string_view bytes);
    std::string recent() const; // at most `capacity` bytes

private:
    std::string kept_; // up to twice the capacity, so that it is not moved for every line
    bool complete_ = true;
};

} // namespace rocket::stage1::attach
