// SPDX-License-Identifier: Apache-2.0
// What makes, removes and cleans up in DATA/cas.
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/directories.hh"
#include "stage0/store/foreign_use.hh"
#include "stage0/store/layer_store.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/staging.hh"
#include "stage0/store/store.hh"
#include "stage0/store/tree_store.hh"
#include "stage0/store/usage.hh"

namespace rocket::store
{

using model::ImageId;

namespace
{

// Trees that were published a moment before their image would have been, or outlived it.
void sweep_orphaned_trees(const model::Layout& layout)
{
    if (!can_render())
        return;
    for (const auto& id : ids_in(layout.trees())) {
        if (sys::stat_if_exists(AT_FDCWD, layout.image(id)))
            continue;
        const auto lock = NamedLock::try_take(layout.image_lock(id)); // held: it is being published
        if (lock && !sys::stat_if_exists(AT_FDCWD, layout.image(id)))
            delete_garbage(layout, discard_tree(layout, id.key()));
    }
}

void sweep_unused_layers(const Store& store)
{
    if (!can_render())
        return;
    LayerStore{store}.sweep([&] {
        std::set<ContentDigest> used;
        for (const auto& id : ids_in(store.layout().images())) {
            try { // somebody else's word is good enough to keep them
                const auto dir = store.open_hearsay(id);
                for (const auto& layer : Record::parse(file::read(dir.get(), model::image_dir::record)).layers)
                    used.insert(layer);
            } catch (const Error&) { // an image without a record is as good as not there
            }
        }
        return used;
    });
}

} // namespace

void Store::tidy()
{
    make_store_directories(layout_);
    sweep(layout_);
    sweep_orphaned_trees(layout_);
    sweep_unused_layers(*this);
    read_catalog(layout_); // heals the index
}

void Store::refuse_if_used(const ImageId& id, Using which) const
{
    const auto used = images_used_by_pods(layout_, which);
    if (const auto pod = used.find(id); pod != used.end())
        throw Error{Error::Kind::busy, fmt::format("pod {} uses the image", text::quoted(pod->second)),
                    "`rocket rm` the pod first, or `rocket stop` it if it is running"};
    const auto foreign = foreign_uses(layout_);
    if (const auto user = foreign.find(id); user != foreign.end())
        throw Error{Error::Kind::busy, fmt::format("a pod uses the image: {}", user->second), "stop its unit first"};
    if (const auto dependent = find_dependent(id))
        throw Error{
            Error::Kind::busy,
            fmt::format("image {} ({}) depends on it", text::quoted(dependent->name.str()), dependent->id.key()),
            "`rocket image rm` that image first"};
}

bool Store::remove(const ImageId& id, Using which)
{
    make_store_directories(layout_);
    // Held shared while a pod is prepared: from looking its images up to the pod's own record of them.
    const auto preparing = Lock::take(
        sys::open(AT_FDCWD, layout_.prepare_lock(), O_RDONLY | O_CREAT | O_NOFOLLOW, 0640), Lock::Mode::exclusive);
    refuse_if_used(id, which);
    bool was_there = false;
    std::string image;
    std::string tree;
    {
        const auto lock = NamedLock::take(layout_.image_lock(id));
        was_there = sys::stat_if_exists(AT_FDCWD, layout_.image(id)).has_value();
        image = discard(layout_, sys::open(AT_FDCWD, layout_.images(), O_RDONLY | O_DIRECTORY).get(), id.key());
        if (can_render())
            tree = discard_tree(layout_, id.key());
    }
    read_catalog(layout_);
    delete_garbage(layout_, image);
    delete_garbage(layout_, tree);
    sweep_unused_layers(*this);
    return was_there;
}

} // namespace rocket::store
