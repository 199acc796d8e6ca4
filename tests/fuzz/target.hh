// SPDX-License-Identifier: Apache-2.0
// A fuzz target: whatever the bytes, the code under test either takes them or throws an Error that can be told.
// Anything else (another exception, a sanitizer's report, a broken promise) ends the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/sys/error.hh"

namespace rocket::fuzz
{

inline void promise(bool kept)
{
    if (!kept)
        std::abort();
}

template <typename Act>
int run(const std::uint8_t* data, std::size_t size, Act&& act)
{
    try {
        act(std::string_view{reinterpret_cast<const char*>(data), size});
    } catch (const Error& error) {
        promise(!error.innermost().empty());
    }
    return 0;
}

} // namespace rocket::fuzz

#define ROCKET_FUZZ(act)                                                                                               \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)                                  \
    {                                                                                                                  \
        return rocket::fuzz::run(data, size, act);                                                                     \
    }
