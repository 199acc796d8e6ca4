// SPDX-License-Identifier: Apache-2.0
// How well an app is, worked out from how its checks end, and when to check next (podman's and Docker's rules). Pure:
// times come in, in microseconds of any one clock.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/model/health_check.hh"

namespace rocket::stage1
{

class Health
{
public:
    enum class Status { starting, healthy, unhealthy };
    enum class Change { none, to_healthy, to_unhealthy };

    Health(const model::HealthCheck& check, std::uint64_t now); // the app has just been started

    Change note(bool passed, std::uint64_t now);                 // how a check ended
    bool checks_startup() const noexcept { return in_startup_; } // the next check is by the startup command
    std::uint64_t delay(std::uint64_t now) const noexcept;       // until then
    std::uint64_t timeout() const noexcept;                      // of it
    Status status() const noexcept { return status_; }
    std::uint32_t failing_streak() const noexcept { return streak_; }

private:
    bool in_start_period(std::uint64_t now) const noexcept;
    Change note_startup(bool passed);
    Change fail_after(std::uint32_t retries);

    model::HealthCheck check_;
    std::uint64_t started_;
    Status status_ = Status::starting;
    bool in_startup_;
    std::uint32_t streak_ = 0;
    std::uint32_t startup_passes_ = 0;
};

std::string_view word(Health::Status status) noexcept;

} // namespace rocket::stage1
