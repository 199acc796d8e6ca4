// SPDX-License-Identifier: Apache-2.0
// Set-user-id and set-group-id bits where nobody may make them: RestrictSUIDSGID= of a unit, which DynamicUser=
// implies, is a filter that refuses them. Such a unit has no_new_privs as well, so that the bits of files are without
// effect in its pods: they are left out, and whoever may make them does not take a tree that lacks them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace rocket::store
{

inline constexpr mode_t set_ids = S_ISUID | S_ISGID;

bool may_make_set_ids();

// change(mode), without the bits if it may not be with them: `left_out` says so. What chmod(2) returns, and errno.
template <typename Change>
int change_mode(Change&& change, mode_t mode, bool& left_out)
{
    left_out = false;
    const int result = change(mode);
    if (result == 0 || errno != EPERM || (mode & set_ids) == 0)
        return result;
    left_out = true;
    return change(mode & ~set_ids);
}

} // namespace rocket::store
