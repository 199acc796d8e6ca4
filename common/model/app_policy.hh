// SPDX-License-Identifier: Apache-2.0
// When an app of a pod is started, started again and given up, as annotations of the app in the pod manifest:
// rocket/NAME, see rocket(1). Without any, an app is started at once, never again, and its failure ends the pod (as in
// rkt; L3). Errors: Kind::usage.
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/model/ac_name.hh"
#include "common/model/health_check.hh"
#include "common/model/labels.hh"

namespace rocket::model
{

struct AppPolicy {
    // In systemd's sense and in the order of its words (systemd.service(5), Restart=).
    enum class Restart { no, on_success, on_failure, on_abnormal, on_abort, always };
    Restart restart = Restart::no;
    std::uint64_t restart_usec = 100'000; // between its end and its next start
    // More starts than `burst` in the interval, and the app has failed. An interval of 0: no limit.
    std::uint32_t start_limit_burst = 5;
    std::uint64_t start_limit_usec = 10'000'000;
    std::vector<AppName> after; // not started before these are up or have ended
    std::vector<AppName> needs; // not started unless these are up, or have ended well; they are in `after`, too
    bool failure_ends_pod = true;
    // When it counts as started: once it runs; when it says so (sd_notify(3)); `speaker`: so, and what it says besides
    // goes to the host's service manager; when it has been found healthy. Unset: as its image has it (IM-9).
    enum class Notify { started, ready, speaker, healthy };
    std::optional<Notify> notify;
    HealthCheck health;
    std::uint64_t stop_timeout_usec = 10'000'000; // from the stop signal to SIGKILL
    int stop_signal = SIGTERM;

    bool is_checked() const noexcept { return !health.command.empty(); }
    // Whether it may be started more than once, by PID 1 or by us.
    bool restarts() const noexcept
    {
        return restart != Restart::no || (is_checked() && health.on_failure == HealthCheck::Action::restart);
    }
    bool operator==(const AppPolicy&) const = default;
};

// "SIGQUIT", "QUIT", "SIGRTMIN+3", "3" (OMAP-8).
std::optional<int> parse_signal(std::string_view value);

// systemd's word: "on-failure".
std::string_view word(AppPolicy::Restart restart) noexcept;

// Throws for an annotation rocket/... that there is not, and for values that make no sense.
AppPolicy policy_of(const Annotations& annotations);
// The same of one annotation alone, whatever else it needs.
void check_policy_setting(const Annotation& annotation);

} // namespace rocket::model
