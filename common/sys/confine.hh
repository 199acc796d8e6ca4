// SPDX-License-Identifier: Apache-2.0
// What a worker that reads bytes from outside gives up (R1), piece by piece: each worker puts together what it can do
// without. Nothing here can be taken back by the process or by what it executes.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>

namespace rocket::confine
{

// Both limits, or what is set if that is lower: only root could raise it.
void limit(__rlimit_resource resource, rlim_t value);

// In a mount namespace of our own: all that is mounted becomes read-only and gets these attributes (MOUNT_ATTR_*), and
// no process can be seen any more.
void seal_mounts(std::uint64_t attributes);

// Nobody's number, and a different one each time: from the range systemd gives to services as DynamicUser.
uid_t unprivileged_id();
// User, group and no other groups; needs root.
void become(uid_t id);

// Every capability, and being traced; with NO_NEW_PRIVS, so that no program executed from here on gets any back.
void forbid_privileges();

// SIGKILL when the parent ends, whose end of `lifeline` is open as long as it lives. Changing ids undoes it.
void die_with_parent(int lifeline);

} // namespace rocket::confine
