// SPDX-License-Identifier: Apache-2.0
// The digest of a tree as it is on disk (see tree_digest.hh), by descriptors only: no link is followed, and nothing
// but regular files and directories is opened. Needs to be able to read everything, which means root.
// Errors: Kind::corrupt for what no image can hold.
#pragma once

#include <functional>

#include "stage0/store/tree_digest.hh"

namespace rocket::store
{

// `tick` is called now and then.
Sha256 digest_of_tree(int dir, const std::function<void()>& tick = {});

} // namespace rocket::store
