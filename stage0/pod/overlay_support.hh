// SPDX-License-Identifier: Apache-2.0
// Whether pods in this data directory can stack their changes on an image with overlayfs (cli 7.3 --no-overlay).
#pragma once

#include <optional>
#include <string>

namespace rocket::pod
{

// Why not, or nullopt if they can.
std::optional<std::string> overlay_problem(const std::string& pods_directory);

} // namespace rocket::pod
