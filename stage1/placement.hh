// SPDX-License-Identifier: Apache-2.0
// Which cgroup a pod lives in (cli 9.2): below the unit that runs us, in a scope of machined's, or below the caller's.
// The choice is pure; making the group, and making its controllers usable, is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/names.hh"

namespace rocket::stage1
{

struct HostCgroups {
    bool booted = false;          // systemd is the host's PID 1
    bool is_unit_process = false; // we are the main process of a service unit
    bool knows_us = true;         // as root: else neither machined nor the journal's directory is for us
    bool wants_machine = true;    // the pod may be registered with machined
    std::string own;              // the group we are in
};
HostCgroups host_cgroups(bool wants_machine = true);

struct Placement {
    enum class Kind {
        payload,      // OWN/payload: the unit's own limits cover the pod
        scope,        // machine.slice/machine-rkt\x2d....scope, made by machined; below_caller if that fails
        below_caller, // OWN/machine-rkt\x2d....scope
    };
    Kind kind = Kind::below_caller;
    std::string group;
    std::string fallback; // scope: the group below the caller
    bool operator==(const Placement&) const = default;
};

std::string machine_scope_name(std::string_view machine); // machine-rkt\x2d....scope
Placement choose_group(const model::PodId& id, const HostCgroups& host);

// Makes `group`, which is `own` plus one component, and returns the controllers that the pod can use in it. In a unit
// we move to OWN/supervisor first: only a group without processes of its own can hand controllers on.
std::vector<std::string> make_group(const Placement& placement, const std::string& group, const std::string& own);

} // namespace rocket::stage1
