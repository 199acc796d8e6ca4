// SPDX-License-Identifier: Apache-2.0
// A faithful copy of what a stack of trees looks like, for pods without overlay and for trees that users ask for:
// owners, modes, times, extended attributes, hard links and holes; data shared with the original where the file system
// can (reflink). Walks by descriptors, follows no link, does not leave the file system.
#pragma once

#include <functional>
#include <string>

#include "stage0/store/layer_stack.hh"

namespace rocket::store
{

enum class Devices { copied, refused }; // refused: Kind::usage

// Copies the directory `from` to the new directory dir/name. `tick` is called once in a while.
void copy_tree(const std::shared_ptr<MergedDir>& from, int dir, const std::string& name,
               const std::function<void()>& tick, Devices devices = Devices::copied);

// Copies one file, link or device, but no directory.
void copy_file(int from, const std::string& name, int to, const std::string& new_name);

// One file, link or special file of the same file system, as a hard link where there can be one more, else as a copy.
void link_or_copy(int from, const std::string& name, int to, const std::string& new_name);

// Owner, mode, extended attributes, but for overlayfs's marks, and times of one directory or file to another.
void copy_metadata(int from, int to);

} // namespace rocket::store
