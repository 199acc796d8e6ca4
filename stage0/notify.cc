// SPDX-License-Identifier: Apache-2.0
#include "stage0/notify.hh"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <mutex>

#include <fmt/format.h>

namespace rocket::notify
{

using Clock = std::chrono::steady_clock;

bool is_due(Clock::time_point last, Clock::time_point now) noexcept
{
    return last == Clock::time_point{} || now - last >= interval;
}

void tick() noexcept
{
    static std::mutex mutex; // layers are fetched and unpacked by several threads
    static Clock::time_point last{};
    const std::lock_guard lock{mutex};
    const auto now = Clock::now();
    if (!is_due(last, now) || !std::getenv("NOTIFY_SOCKET"))
        return;
    last = now;
    static const auto message =
        fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::duration_cast<std::chrono::microseconds>(extension).count());
    ::sd_notify(0, message.c_str());
}

} // namespace rocket::notify
