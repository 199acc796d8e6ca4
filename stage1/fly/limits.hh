// SPDX-License-Identifier: Apache-2.0
// Limits of an app on its cgroup, as the host's systemd would set them in the default flavour (RES-1..6).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stage1/app_spec.hh"

namespace rocket::stage1::fly
{

using Setting = std::pair<std::string, std::string>; // control file, value

std::vector<Setting> settings_of(const Resources& limits); // pure

// Only for controllers that the group has: what cannot be enforced was reported when the app was resolved (ISO-5).
void set_limits(const Resources& limits, const std::string& group);
bool was_out_of_memory(const std::string& group);

} // namespace rocket::stage1::fly
