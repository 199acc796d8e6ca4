// SPDX-License-Identifier: Apache-2.0
// What the code that handles bytes from outside may do, and for how long (R1): namespaces of its own (no network, no
// other process, everything mounted read-only but a private tmpfs), a user id that owns nothing, no way to more.
// Where the kernel does not let us have namespaces, a private temporary directory takes the place of the tmpfs.
#pragma once

#include <functional>
#include <string>

#include "common/sys/error.hh"

namespace rocket::verify
{

struct Limits {
    int seconds; // wall clock and CPU
};

// Runs `act` in a confined child with a private, empty, writable directory, and waits for it: until it is done, its
// time is up, or nobody reads our stdout any more. Nothing that it started is left afterwards. An Error that leaves
// `act` is given to `report`, still in the child; what goes wrong out here is thrown.
void run_confined(const Limits& limits, const std::function<void(const std::string& home)>& act,
                  const std::function<void(const Error& error)>& report);

} // namespace rocket::verify
