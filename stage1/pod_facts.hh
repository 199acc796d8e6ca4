// SPDX-License-Identifier: Apache-2.0
// What the resolver of apps has to know about the pod and the host: found once by whoever sets the pod up. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/id_range.hh"
#include "stage1/app_spec.hh"

namespace rocket::stage1
{

struct PodFacts {
    bool restrict_capabilities = true; // false: --disable-capabilities-restriction
    bool restrict_paths = true;        // false: --disable-paths (devices are part of it)
    bool restrict_seccomp = true;      // false: --disable-seccomp
    std::set<std::string> terminals;   // apps that have one: they get TERM
    std::string term;                  // the caller's TERM, may be empty
    std::string speaker;               // the app that speaks for the pod to the host's service manager; may be empty
    std::uint64_t watchdog_usec = 0;   // how often that manager wants to hear of it; 0: it does not
    std::string metadata_url;          // empty: the pod is not registered with a metadata service (ENV-6)
    unsigned last_capability = 40;     // /proc/sys/kernel/cap_last_cap
    int lowest_oom_score = -1000;      // what this pod may set at least: its own value if CAP_SYS_RESOURCE is missing
    std::optional<model::IdRange> private_users; // the pod's own ids, and what they are on the host
    bool has_apparmor = false;                   // the host's kernel enforces profiles
    bool has_selinux = false;                    // the host's kernel has a policy
    std::optional<OpenFiles> open_files;         // what the service that runs the pod lets it have
    std::vector<std::string> disks;              // "8:0" ..., whole block devices of the host
    std::vector<std::string> controllers;        // cgroup controllers the pod's cgroup has ("memory", "cpu", ...)
    std::map<std::string, std::vector<DeviceRule>> devices; // app name -> device nodes its volumes bring
};

OpenFiles own_open_files();
int own_oom_score(); // what whoever lacks CAP_SYS_RESOURCE on the host can go down to

// The facts that are the host's: last_capability, lowest_oom_score, has_apparmor and has_selinux. The rest is left as
// above.
PodFacts host_facts();

} // namespace rocket::stage1
