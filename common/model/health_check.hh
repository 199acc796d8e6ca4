// SPDX-License-Identifier: Apache-2.0
// How an app is found to be well, as annotations of the app in the pod manifest: rocket/health-NAME, with the meanings
// of podman's flags --health-NAME. Errors: Kind::usage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/ac_name.hh"
#include "common/model/labels.hh"

namespace rocket::model
{

struct HealthCheck {
    // Of what is done to an app that is unhealthy, in the order of its words.
    enum class Action { none, kill, restart, stop };

    std::vector<std::string> command; // exits 0 if all is well; empty: the app is not checked
    std::uint64_t interval_usec = 30'000'000;
    std::uint64_t timeout_usec = 30'000'000;
    std::uint64_t start_period_usec = 0;           // as long as it has not passed once, failing means nothing in it
    std::uint64_t start_interval_usec = 5'000'000; // in the start period
    std::uint32_t retries = 3;                     // that many fail in a row: unhealthy
    Action on_failure = Action::none;

    std::vector<std::string> startup_command; // instead, until it has passed; empty: none
    std::uint64_t startup_interval_usec = 30'000'000;
    std::uint64_t startup_timeout_usec = 30'000'000;
    std::uint32_t startup_retries = 0; // that many fail in a row: unhealthy; 0: however many do
    std::uint32_t startup_successes = 1;

    bool operator==(const HealthCheck&) const = default;
};

inline constexpr std::string_view health_prefix = "health-";
// `name` without "rocket/". false if there is no such setting.
bool apply_health_setting(HealthCheck& check, std::string_view name, const std::string& value);

// What a command is written as: none, a JSON array (["CMD", ...], ["CMD-SHELL", "..."] or the words themselves), or
// text for /bin/sh.
std::vector<std::string> parse_health_command(const std::string& text);

// Of rocket/health-cmd, for stage0: the check of the image, if it has one.
inline constexpr std::string_view health_of_image = "image";

// HEALTHCHECK of a Docker image, as its configuration has it in JSON, as annotations; none if it switches checks off.
Annotations health_annotations_of_image(std::string_view healthcheck);

std::string_view word(HealthCheck::Action action) noexcept;

// In the pod directory: how well the app is, while it is checked and after that.
std::string health_record(const AppName& name); // status/NAME.health

} // namespace rocket::model
