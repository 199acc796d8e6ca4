// SPDX-License-Identifier: Apache-2.0
// The directories that all commands share in DATA, with the modes of units/host/tmpfiles.conf (cli 1.6): whichever
// command comes first makes those that are missing. Owner, group and mode of what is there stay, but where only root
// may write, members of the group lose the right to, and a directory of somebody else is Kind::untrusted; new ones
// inherit DATA's group.
#pragma once

#include <sys/types.h>

#include "common/model/layout.hh"

namespace rocket::store
{

void make_store_directories(const model::Layout& layout);
void make_pod_directories(const model::Layout& layout); // those of the store too

// The mode of a directory that the group shares: set-gid, but for who has users of its own (users/own_root.hh). Nobody
// shares with that one, and a unit may forbid it the bit (RestrictSUIDSGID=, which DynamicUser= implies).
mode_t shared_mode(mode_t mode);

} // namespace rocket::store
