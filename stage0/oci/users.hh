// SPDX-License-Identifier: Apache-2.0
// The User of an image's configuration, resolved in the image's own /etc/passwd and /etc/group (OMAP-4..6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::oci
{

struct User {
    std::string user; // decimal; a name that is not in the image stays: starting the app says so
    std::string group;
    std::vector<std::uint32_t> supplementary_gids = {}; // sorted
    bool operator==(const User&) const = default;
};

User resolve_user(std::string_view wanted, std::string_view passwd, std::string_view group);

} // namespace rocket::oci
