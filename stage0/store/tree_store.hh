// SPDX-License-Identifier: Apache-2.0
// Rendered trees: DATA/cas/tree/<key>/{rootfs,digest}, of images and of layers. The digest is written last, before the
// one rename that publishes both; a tree without the right one counts as absent. Only root renders, and only root can
// look inside. The file holds the digest of the tree and, if others went into it, the name of the recipe it was made
// by; and, if so, that it lacks set-id bits (set_ids.hh).
#pragma once

#include <optional>
#include <string>

#include "common/model/layout.hh"
#include "common/sys/fd.hh"
#include "stage0/unpack/report.hh"

namespace rocket::store
{

class Store;

struct TreeStatement {
    std::string digest; // hex, of what is on disk
    std::string recipe; // hex, of what it was made from; the same if the image stands alone
    bool lacks_set_ids = false;
    bool operator==(const TreeStatement&) const = default;
};

bool can_render() noexcept;

// The empty rootfs of a tree in a staging directory.
Fd make_staged_tree(int staging);
Fd open_staged_tree(int staging);
// What to state of the tree in `root`, which the workers have unpacked. Where bits were left out, the user is told.
TreeStatement statement_of(const Store& store, int root, const unpack::TreeSummary& unpacked,
                           const std::string& recipe);
// Gives its name up, so that another one can be made; its rootfs.
Fd set_staged_tree_aside(int staging);
// Writes the statement and puts the tree in place, to disk; a tree with the same one that is there already stays.
// The caller holds the image's lock and has brought the content to disk.
void publish_staged_tree(const model::Layout& layout, int staging, const std::string& key,
                         const TreeStatement& statement);
// What the tree's digest file says; nullopt if there is no whole tree.
std::optional<TreeStatement> stated_tree(const model::Layout& layout, const std::string& key);
// Whether there is a whole tree by that recipe that this process can use.
bool has_tree(const model::Layout& layout, const std::string& key, const std::string& recipe);
bool tree_lacks_set_ids(const model::Layout& layout, const std::string& key);
// What is wrong with the tree that is there, by its content; empty if nothing is.
std::string damage_of_tree(const Store& store, const std::string& key, const std::string& recipe);
// Takes the tree away, if there is one, and returns its name in the garbage.
std::string discard_tree(const model::Layout& layout, const std::string& key);

} // namespace rocket::store
