// SPDX-License-Identifier: Apache-2.0
// What a container that is an app of a pod says in [Unit] and [Service]: restarts and order among the apps become
// annotations of the app (common/model/app_policy.hh), order to other units that of the pod's service. Whatever else
// stands there is refused. Errors: Kind::usage, "FILE:LINE: ...".
#pragma once

#include <map>
#include <string>

#include "stage0/quadlet/container.hh"

namespace rocket::quadlet
{

// `members`: the apps' names by those of their files and services, such as "web.container" and "web.service".
void read_member(const UnitFile& file, const std::map<std::string, std::string>& members, App& app);

} // namespace rocket::quadlet
