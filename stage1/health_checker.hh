// SPDX-License-Identifier: Apache-2.0
// Checks whether an app is well, as its policy says, for as long as it runs: each check is a unit of the pod's systemd
// that is confined as the app is (unit_properties(): the same root, user, environment, capabilities and filters, with
// limits like its own), beside the app's. One at a time; what outlasts its time is killed with all it has started.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "stage1/app_progress.hh"
#include "stage1/app_spec.hh"
#include "stage1/event_loop.hh"
#include "stage1/health.hh"
#include "stage1/manager.hh"

namespace rocket::stage1
{

class HealthChecker
{
public:
    struct Events {
        std::function<Manager*()> manager;                  // a null pointer while the pod's systemd starts over
        std::function<void(Health::Change change)> checked; // after each check
    };
    struct LastCheck {
        std::uint64_t finished_ns = 0; // CLOCK_REALTIME; 0: there was none
        int status = 0;                // exit code or signal
        std::string output;            // the beginning of it, printable
    };

    HealthChecker(EventLoop& loop, const AppSpec& spec, const model::HealthCheck& check, Events events);

    void app_runs();                                                 // also if that is known
    void app_rests();                                                // it has ended, or is about to start again
    bool on_unit(const std::string& unit, const UnitChange& change); // whether it is one of ours
    void on_reconnected();

    bool is_checking() const noexcept { return health_.has_value(); }
    const Health& health() const { return *health_; } // while the app runs
    const LastCheck& last() const noexcept { return last_; }

private:
    void wait(std::uint64_t usec);
    void begin();
    void read();
    void end();

    EventLoop& loop_;
    const AppSpec& spec_;
    model::HealthCheck check_;
    Events events_;
    std::optional<Health> health_;
    LastCheck last_;
    std::uint64_t number_ = 0;
    std::string unit_; // of the check that runs; empty: none
    AppProgress progress_;
    std::string output_;
    Fd pipe_;
    Source readable_, timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); // for calls that are answered later
};

} // namespace rocket::stage1
