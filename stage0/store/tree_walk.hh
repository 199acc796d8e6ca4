// SPDX-License-Identifier: Apache-2.0
// The digest of a tree as it is on disk (see tree_digest.hh), by descriptors only: no link is followed, and nothing
// but regular files and directories is opened. Needs to be able to read everything, which means root.
// Errors: Kind::corrupt for what no image can hold.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "stage0/store/tree_digest.hh"

namespace rocket::store
{

// `tick` is called now and then.
Sha256 digest_of_tree(int dir, const std::function<void()>& tick = {});

// Of an open file or directory, those that belong to an image.
std::map<std::string, std::string> image_xattrs_of(int fd);

} // namespace rocket::store
