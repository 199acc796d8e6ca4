// SPDX-License-Identifier: Apache-2.0
// Rendered trees: DATA/cas/tree/<id>/{rootfs,digest}. The digest is written last, before the one rename that
// publishes both; a tree without the right one counts as absent. Only root renders, and only root can look inside.
#pragma once

#include <optional>
#include <string>

#include "common/model/layout.hh"
#include "common/sys/fd.hh"

namespace rocket::store
{

bool can_render() noexcept;

// The empty rootfs of a tree in a staging directory.
Fd make_staged_tree(int staging);
// Writes the digest and puts the tree in place, to disk; a tree of the same digest that is there already stays.
// The caller holds the image's lock and has brought the content to disk.
void publish_staged_tree(const model::Layout& layout, int staging, const model::ImageId& id, const std::string& digest);
// What the tree's digest file says; nullopt if there is no whole tree.
std::optional<std::string> stated_tree_digest(const model::Layout& layout, const model::ImageId& id);
// Takes the tree away, if there is one, and returns its name in the garbage.
std::string discard_tree(const model::Layout& layout, const model::ImageId& id);

} // namespace rocket::store
