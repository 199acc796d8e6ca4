// SPDX-License-Identifier: Apache-2.0
// How an app is confined: as stage1 meant it (its record apps/NAME/spec.json), and as the kernel has it while it runs.
// Plain data. Errors: Kind::corrupt; and Kind::system with EACCES for whoever may not know.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stage0/pod/pod.hh"

namespace rocket::pod
{

struct Confinement {
    std::uint32_t uid = 0, gid = 0; // as whoever runs the pod counts: intended(); else as the host does
    std::uint64_t bounding_set = 0; // bit n = capability n
    std::uint64_t ambient_set = 0;
    bool no_new_privileges = false;
    bool has_filter = false;                        // of system calls
    std::map<std::string, std::string> limits = {}; // control file: value; what is not there has no limit
};

struct Running {
    pid_t pid = 0; // the app's, on the host
    Confinement confinement;
    std::uint64_t effective_set = 0;
    // "network": whether it is the pod's own, by the names of lsns(8)
    std::map<std::string, bool> own_namespaces = {};
};

// nullopt: it has not been started, so that nothing is resolved.
std::optional<Confinement> intended(const Pod& pod, const model::AppName& app);
// What `supervisor` calls by these ids, as the host counts: it may be in a user namespace (users/own_root.hh).
Confinement as_host_counts(Confinement confinement, pid_t supervisor);
// nullopt: no process of it is there.
std::optional<Running> running(const Pod& pod, const model::AppName& app);
// What the kernel has otherwise than it was meant, in words.
std::vector<std::string> differences(const Confinement& intended, const Running& running);

// "CAP_CHOWN CAP_KILL", in the order of their numbers; "none".
std::string capability_names(std::uint64_t set);

} // namespace rocket::pod
