// SPDX-License-Identifier: Apache-2.0
// Operating systems and architectures: what labels may say, what other worlds call them, what this host is
// (TYP-30..33).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rocket::model
{

struct Platform {
    std::string os;
    std::string arch;
    bool operator==(const Platform&) const = default;
};

// Throws Kind::usage if `os` is not in the table, or `arch` is given and not in its row.
void check_platform(std::string_view os, std::optional<std::string_view> arch);

// The labels for a machine as `uname -m` names it; nullopt if appc has no word for it.
std::optional<Platform> platform_of_machine(std::string_view machine);
Platform host_platform(); // of this host; throws Kind::unsupported

// Names of Go and OCI, for images of that format.
struct OciPlatform {
    std::string os;
    std::string architecture;
    std::string variant; // may be empty
    bool operator==(const OciPlatform&) const = default;
};
Platform from_oci(const OciPlatform& platform); // throws Kind::unsupported
OciPlatform to_oci(const Platform& platform);   // throws Kind::unsupported

} // namespace rocket::model
