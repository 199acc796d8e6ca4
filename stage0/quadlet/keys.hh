// SPDX-License-Identifier: Apache-2.0
// What the keys of .container, .pod, .image and .volume files mean, for users: `rocket units --keys` and the manual
// page rocket-systemd.unit(5) are made of it. A unit test holds it to the tables that do the work.
#pragma once

#include <span>
#include <string_view>

namespace rocket::quadlet
{

struct KeyHelp {
    std::string_view section; // "Container"
    std::string_view key;
    std::string_view meaning; // a phrase, without a full stop
};

std::span<const KeyHelp> key_help(); // by section and name

} // namespace rocket::quadlet
