// SPDX-License-Identifier: Apache-2.0
#include "stage1/health.hh"

#include <algorithm>

namespace rocket::stage1
{

Health::Health(const model::HealthCheck& check, std::uint64_t now)
    : check_{check}, started_{now}, in_startup_{!check.startup_command.empty()}
{
}

Health::Change Health::note(bool passed, std::uint64_t now)
{
    if (in_startup_)
        return note_startup(passed);
    if (passed) {
        streak_ = 0;
        const bool was_healthy = status_ == Status::healthy;
        status_ = Status::healthy;
        return was_healthy ? Change::none : Change::to_healthy;
    }
    if (in_start_period(now))
        return Change::none;
    return fail_after(check_.retries);
}

// What it passes are the app's first steps: healthy it is when the real check says so.
Health::Change Health::note_startup(bool passed)
{
    if (!passed) {
        startup_passes_ = 0;
        return fail_after(check_.startup_retries);
    }
    streak_ = 0;
    if (++startup_passes_ >= check_.startup_successes)
        in_startup_ = false;
    return Change::none;
}

Health::Change Health::fail_after(std::uint32_t retries)
{
    ++streak_;
    if (status_ == Status::unhealthy || retries == 0 || streak_ < retries)
        return Change::none;
    status_ = Status::unhealthy;
    return Change::to_unhealthy;
}

bool Health::in_start_period(std::uint64_t now) const noexcept
{
    return status_ == Status::starting && now - started_ < check_.start_period_usec;
}

// One that has never been checked is checked soon; after that the interval counts from the end of a check.
std::uint64_t Health::delay(std::uint64_t now) const noexcept
{
    if (in_startup_)
        return check_.startup_interval_usec;
    if (in_start_period(now))
        return std::min(check_.start_interval_usec, check_.interval_usec);
    return check_.interval_usec;
}

std::uint64_t Health::timeout() const noexcept
{
    return in_startup_ ? check_.startup_timeout_usec : check_.timeout_usec;
}

std::string_view word(Health::Status status) noexcept
{
    constexpr std::string_view words[] = {"starting", "healthy", "unhealthy"};
    return words[static_cast<std::size_t>(status)];
}

} // namespace rocket::stage1
