// SPDX-License-Identifier: Apache-2.0
// How one app is getting on, worked out from what PID 1 reports about its unit, and how it ended (ACE-4, cli 9.5).
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/app_policy.hh"
#include "stage1/manager.hh"

namespace rocket::stage1
{

struct AppResult {
    std::optional<int> code; // one of these two
    std::optional<int> signal;
    bool oom = false;
    std::uint32_t restarts = 0;
    std::uint64_t started_ns = 0; // CLOCK_REALTIME, of its last start; 0: never
    std::uint64_t finished_ns = 0;

    int status() const { return signal ? *signal : code.value_or(0); } // the number that rkt records (Q29)
    bool operator==(const AppResult&) const = default;
};

class AppProgress
{
public:
    // Exit statuses by which PID 1 says that it could not get as far as the app (systemd.exec(5)).
    static constexpr int exec_failed = 203;
    static constexpr int first_setup_failure = 200;
    static constexpr int last_setup_failure = 245;

    explicit AppProgress(const model::AppPolicy& policy = {})
        : may_restart_{policy.restarts()}, stop_signal_{policy.stop_signal}
    {
    }

    void apply(const UnitChange& change);
    // It looks as if it had ended, but PID 1 may be about to start it again: ask how things are now
    // (Manager::ask_state).
    bool is_in_doubt() const noexcept { return in_doubt_; }
    void stop_requested() { stopping_ = true; }
    // PID 1 is asked to stop it and to start it again: its stop is not its end.
    void restart_requested() { restarting_ = true; }
    // Its end is a failure, however it ends.
    void found_unhealthy() { unhealthy_ = true; }
    // For what PID 1 does not tell: it could not even load the unit; the executable is missing; everything was killed.
    void end_with(const AppResult& result);

    bool is_up() const noexcept { return up_; } // started, and ready if it says so itself; stays true
    bool has_ended() const noexcept { return result_.has_value(); }
    bool failed() const; // ended in a way that ends the pod
    // PID 1 gave up before the app itself ran: its exit status is PID 1's.
    bool failed_in_setup() const;
    bool failed_before_main() const noexcept { return has_ended() && !main_ran_; }
    std::uint32_t pid() const noexcept { return pid_; } // 0: none yet
    const AppResult& result() const { return *result_; }

private:
    void conclude();

    bool may_restart_;
    int stop_signal_;
    UnitChange last_;
    bool in_doubt_ = false;
    bool seen_moving_ = false; // out of its initial "inactive"
    bool stopping_ = false;    // its end was asked for, by us or inside the pod
    bool restarting_ = false;
    bool has_stopped_ = false; // on the way to be started again
    bool unhealthy_ = false;
    bool up_ = false;
    bool main_ran_ = false;
    std::uint32_t pid_ = 0;
    std::optional<AppResult> result_;
};

} // namespace rocket::stage1
