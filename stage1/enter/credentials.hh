// SPDX-License-Identifier: Apache-2.0
// The confinement of a process that PID 1 did not start: the same as an app's main process has (R8).
#pragma once

#include <cstdint>
#include <vector>

#include "stage1/app_spec.hh"
#include "stage1/seccomp.hh"

namespace rocket::stage1
{

struct Credentials {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
    std::uint64_t bounding_set = 0;
    std::uint64_t ambient_set = 0; // of the app's own user, if that is not root
    bool no_new_privileges = false;
    bool can_ask_for_filters = false; // prctl(2) is allowed by them
    SecurityLabels labels;
    std::vector<BpfProgram> filters; // compiled before namespaces are joined: nothing is left to do but to install them
};

// What `spec` says, for its own user or, with its groups then, another one.
Credentials credentials_of(const AppSpec& spec);
Credentials credentials_of(const AppSpec& spec, std::uint32_t uid, std::uint32_t gid);

// Capability bounding and ambient sets, groups, ids, no_new_privs; all read back and compared. Root keeps CAP_SYS_ADMIN
// until exec if it has to install filters without no_new_privs; exec takes it away with everything else outside the
// bounding set.
void take_on(const Credentials& credentials);
// Last before exec (SEC-13).
void install_filters(const Credentials& credentials);

} // namespace rocket::stage1
