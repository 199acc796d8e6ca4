// SPDX-License-Identifier: Apache-2.0
// Deletion of whole trees, by descriptors only (R15): never follows a link, never crosses into another file system
// or mount, needs no free space, and can be interrupted and started again at any point.
#pragma once

#include <string>

namespace rocket
{

// Removes dir/name, whatever it is; a missing one is no error. Directories without write or search permission are
// opened up first. Throws Kind::busy if a mount point is in the way (its name is in the error).
void remove_tree(int dir, const std::string& name);
// The same for the content of a directory, which itself stays.
void remove_content(int dir);
// Unmounts, deepest first, whatever is mounted at or below the (trusted, absolute) path in this mount namespace.
void unmount_below(const std::string& path);

} // namespace rocket
