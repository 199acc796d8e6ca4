// SPDX-License-Identifier: Apache-2.0
// The last look before the pod's PID 1 is executed (R5): what is mounted is what the plan says, no more and no less,
// and has the options that protect it. Pure: rules from the plan, checked against the text of mountinfo, see proc(5).
// Errors: Kind::system, naming the mount.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stage1/plan.hh"

namespace rocket::stage1
{

struct MountRule {
    std::string place;
    std::string options; // that it must have, separated by commas
    bool required = true;
    bool anything_below = false;
    bool operator==(const MountRule&) const = default;
};

// `volume_places`: for each app and each of its volumes, where links of the image have led it, below the app's root.
std::vector<MountRule> mount_rules(const Plan& plan, const std::vector<std::vector<std::string>>& volume_places);
// The same for a pod that is nothing but its app: the app's root, "", is all there is.
std::vector<MountRule> mount_rules_without_init(const Plan& plan,
                                                const std::vector<std::vector<std::string>>& volume_places);

// The same for one app that was added to a pod: what is at and below its root, and nothing else.
void check_app_mounts(const Plan& plan, std::size_t app, const std::vector<std::string>& volume_places,
                      std::string_view mountinfo);

void check_mounts(const std::vector<MountRule>& rules, std::string_view mountinfo);

} // namespace rocket::stage1
