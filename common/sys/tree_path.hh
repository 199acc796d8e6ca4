// SPDX-License-Identifier: Apache-2.0
// Paths of the trees that we make ourselves: relative to the tree's root, normal, "" is the root. Anything unexpected
// in the way of one is an error.
#pragma once

#include <string>

#include "common/sys/fd.hh"

namespace rocket::tree_path
{

std::string parent_of(const std::string& path); // of "name": ""
std::string last_of(const std::string& path);

// Follows no link and leaves neither the tree nor its mount. `flags` in addition to what makes it a directory.
Fd open_directory(int root, const std::string& path, int flags = 0);

} // namespace rocket::tree_path
