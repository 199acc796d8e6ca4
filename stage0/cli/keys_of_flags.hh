// SPDX-License-Identifier: Apache-2.0
// For `rocket explain`: the line of a .container file that a flag was made from.
#pragma once

#include <string_view>

namespace rocket::cli
{

// Which flags the keys of a .container file become (stage0/quadlet/container.cc).
struct KeyOf {
    std::string_view flag;
    std::string_view key;
};
inline constexpr KeyOf keys_of_flags[] = {
    {"--caps-remove", "DropCapability"},
    {"--caps-retain", "AddCapability"},
    {"--caps-retain", "DropCapability"},
    {"--environment", "Environment"},
    {"--environment", "EnvironmentFile"},
    {"--exec", "Entrypoint"},
    {"--group", "Group"},
    {"--group", "User"},
    {"--health-cmd", "HealthCmd"},
    {"--health-interval", "HealthInterval"},
    {"--health-on-failure", "HealthOnFailure"},
    {"--health-retries", "HealthRetries"},
    {"--health-start-period", "HealthStartPeriod"},
    {"--health-timeout", "HealthTimeout"},
    {"--inherit-env", "EnvironmentHost"},
    {"--memory", "Memory"},
    {"--mount, --volume", "Volume"},
    {"--mount, --volume", "Mount"},
    {"--mount, --volume", "Tmpfs"},
    {"--mount, --volume", "Secret"},
    {"--mount, --volume", "AddDevice"},
    {"--mount, --volume", "Timezone"},
    {"--no-new-privileges", "NoNewPrivileges"},
    {"--notify", "Notify"},
    {"--readonly-rootfs", "ReadOnly"},
    {"--supplementary-gids", "GroupAdd"},
    {"--user", "User"},
    {"--working-dir", "WorkingDir"},
    {"-- ARGUMENTS", "Exec"},
};

} // namespace rocket::cli
