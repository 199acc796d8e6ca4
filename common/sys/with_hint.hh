// SPDX-License-Identifier: Apache-2.0
// The next step for the user, at the call that an option of the unit we are in may forbid (systemd.exec(5)).
#pragma once

#include <string_view>
#include <utility>

#include "common/sys/error.hh"

namespace rocket
{

// Runs `act`; an Error that leaves it with that errno gets the hint.
template <typename Act>
decltype(auto) with_hint(int error_number, std::string_view hint, Act&& act)
{
    try {
        return std::forward<Act>(act)();
    } catch (Error& error) {
        if (error.error_number() == error_number)
            error.set_hint(std::string{hint});
        throw;
    }
}

} // namespace rocket
