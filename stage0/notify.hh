// SPDX-License-Identifier: Apache-2.0
// For a service manager that waits for us (sd_notify(3)): while Rocket fetches or prepares, it asks for more time.
#pragma once

#include <chrono>

namespace rocket::notify
{

// Work goes on: EXTEND_TIMEOUT_USEC to NOTIFY_SOCKET, if there is one, at most every few seconds however often this is
// called. Never fails: a manager that does not listen is no reason to stop.
void tick() noexcept;

// The decision alone, for tests: whether a message is due at `now`, given when the last one was sent.
constexpr std::chrono::seconds interval{5};
constexpr std::chrono::seconds extension{60};
bool is_due(std::chrono::steady_clock::time_point last, std::chrono::steady_clock::time_point now) noexcept;

} // namespace rocket::notify
