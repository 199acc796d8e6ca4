// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/tree_store.hh"

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/set_ids.hh"
#include "stage0/store/staging.hh"
#include "stage0/store/store.hh"
#include "stage0/store/tree_walk.hh"

namespace rocket::store
{

namespace
{

namespace tree_dir = model::tree_dir;

constexpr const char* staged_tree = "tree";
constexpr const char* aside = "own";
constexpr const char* lacking = "without-set-ids"; // the last word of a statement

Fd open_trees(const model::Layout& layout)
{
    return sys::open(AT_FDCWD, layout.trees(), O_RDONLY | O_DIRECTORY);
}

} // namespace

bool can_render() noexcept
{
    return ::geteuid() == 0;
}

Fd make_staged_tree(int staging)
{
    sys::make_dir(staging, staged_tree, 0700);
    const auto tree = sys::open(staging, staged_tree, O_RDONLY | O_DIRECTORY);
    // Not the store's group, nor its set-group-id bit, which everything in the tree would inherit.
    sys::check([&] { return ::fchown(tree.get(), 0, 0); }, "setting the owner of the tree");
    sys::check([&] { return ::fchmod(tree.get(), 0700); }, "setting the mode of the tree");
    sys::make_dir(tree.get(), tree_dir::rootfs, 0700);
    return sys::open(tree.get(), tree_dir::rootfs, O_RDONLY | O_DIRECTORY);
}

Fd open_staged_tree(int staging)
{
    return sys::open(staging, std::string{staged_tree} + "/" + tree_dir::rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

TreeStatement statement_of(const Store& store, int root, const unpack::TreeSummary& unpacked, const std::string& recipe)
{
    if (unpacked.lacks_set_ids == 0)
        return {.digest = text::hex(unpacked.digest), .recipe = recipe};
    const auto others = unpacked.lacks_set_ids - 1;
    if (store.options().warn)
        store.options().warn(fmt::format("the set-id bits of {}{} are left out: RestrictSUIDSGID= of the unit, which "
                                         "DynamicUser= implies, forbids them, and they would be without effect",
                                         unpacked.first_lacking,
                                         others == 0 ? "" : fmt::format(" and {} more", others)));
    return {.digest = text::hex(digest_of_tree(root)), .recipe = recipe, .lacks_set_ids = true};
}

Fd set_staged_tree_aside(int staging)
{
    sys::rename(staging, staged_tree, staging, aside);
    return sys::open(staging, std::string{aside} + "/" + tree_dir::rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

void publish_staged_tree(const model::Layout& layout, int staging, const std::string& key,
                         const TreeStatement& statement)
{
    const auto there = stated_tree(layout, key);
    if (there == statement || (there && there->recipe == statement.recipe && !there->lacks_set_ids))
        return;
    const auto tree = sys::open(staging, staged_tree, O_RDONLY | O_DIRECTORY);
    const bool is_short = statement.recipe == statement.digest && !statement.lacks_set_ids;
    file::write_new(tree.get(), tree_dir::digest,
                    statement.digest + (is_short ? "" : " " + statement.recipe) +
                        (statement.lacks_set_ids ? fmt::format(" {}", lacking) : "") + "\n",
                    0600);
    sys::fsync(tree.get());
    const auto trees = open_trees(layout);
    std::string replaced;
    while (!sys::rename_no_replace(staging, staged_tree, trees.get(), key))
        replaced = discard(layout, trees.get(), key);
    sys::fsync(trees.get());
    delete_garbage(layout, replaced);
}

std::optional<TreeStatement> stated_tree(const model::Layout& layout, const std::string& key)
{
    const auto digest = file::read_if_exists(AT_FDCWD, layout.tree(key) + "/" + tree_dir::digest, 256);
    if (!digest || !sys::stat_if_exists(AT_FDCWD, layout.tree_rootfs(key)))
        return std::nullopt;
    auto words = text::split(std::string{text::trim(*digest)}, ' ');
    const bool lacks_set_ids = words.size() == 3 && words.back() == lacking;
    if (lacks_set_ids)
        words.pop_back();
    return TreeStatement{.digest = words.front(), .recipe = words.back(), .lacks_set_ids = lacks_set_ids};
}

bool has_tree(const model::Layout& layout, const std::string& key, const std::string& recipe)
{
    const auto stated = stated_tree(layout, key);
    return stated && stated->recipe == recipe && !(stated->lacks_set_ids && may_make_set_ids());
}

bool tree_lacks_set_ids(const model::Layout& layout, const std::string& key)
{
    const auto stated = stated_tree(layout, key);
    return stated && stated->lacks_set_ids;
}

std::string damage_of_tree(const Store& store, const std::string& key, const std::string& recipe)
{
    const auto stated = stated_tree(store.layout(), key);
    if (!stated || stated->recipe != recipe)
        return "the tree's digest file does not belong to the image";
    if (stated->lacks_set_ids && may_make_set_ids())
        return "the tree lacks set-id bits";
    const auto root = sys::open(AT_FDCWD, store.layout().tree_rootfs(key), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const auto tick = [&] {
        if (store.options().tick)
            store.options().tick(0, 0);
    };
    std::string found;
    try {
        found = text::hex(digest_of_tree(root.get(), tick));
    } catch (const Error& error) {
        return error.innermost();
    }
    return found == stated->digest ? ""
                                   : fmt::format("the tree has the digest {} instead of {}", found, stated->digest);
}

std::string discard_tree(const model::Layout& layout, const std::string& key)
{
    return discard(layout, open_trees(layout).get(), key);
}

} // namespace rocket::store
