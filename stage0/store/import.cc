// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/import.hh"

#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/publish_image.hh"
#include "stage0/store/render.hh"

namespace rocket::store
{

namespace
{

namespace image_dir = model::image_dir;

Unpacked unpack_into(const Store& store, int from, int copy, int tree)
{
    return unpack_image({.archive = from,
                         .copy = copy,
                         .tree = tree,
                         .allow_devices = store.options().allow_devices,
                         .limits = store.options().limits,
                         .tick = store.options().tick,
                         .debug = store.options().debug});
}

} // namespace

Import::Import(Store& store, int archive)
    : store_{store}, staging_{store.layout()}, archive_{StagedImage{staging_}.create(image_dir::archive)},
      with_tree_{can_render()}, unpacked_{unpack_into(store, archive, archive_.get(),
                                                      with_tree_ ? make_staged_tree(staging_.fd()).get() : -1)},
      manifest_{model::ImageManifest::parse(unpacked_.manifest)}
{
}

void Import::publish(const Facts& facts)
{
    const Record record{.id = id(),
                        .requested = facts.requested,
                        .source = facts.source,
                        .source_stamp = facts.source_stamp,
                        .archive_bytes = unpacked_.archive_bytes,
                        .image_bytes = unpacked_.tar_bytes,
                        .tree_bytes = unpacked_.tree.file_bytes,
                        .imported_ns = sys::realtime_nsec(),
                        .fingerprint = facts.fingerprint,
                        .insecure = facts.insecure,
                        .tree_digest = text::hex(unpacked_.tree.digest),
                        .dependencies = facts.dependencies};
    const auto recipe = RecipeBook{store_}.of(record, manifest_);
    TreeStatement statement;
    if (with_tree_) {
        const auto own = statement_of(store_, open_staged_tree(staging_.fd()).get(), unpacked_.tree, recipe.own);
        statement = finish_staged_tree(store_, staging_.fd(), own, recipe);
    }
    write_files(record, facts);
    sys::syncfs(staging_.fd()); // archive, tree and all: nothing gets its name before it is on disk

    const auto lock = NamedLock::take(store_.layout().image_lock(id()), [&] {
        if (store_.options().on_wait)
            store_.options().on_wait(
                fmt::format("another process is busy with image {}, waiting", text::quoted(id().key())));
    });
    if (with_tree_)
        publish_staged_tree(store_.layout(), staging_.fd(), id().key(), statement);
    publish_staged_image(store_, staging_, id(), record.is_verified());
    read_catalog(store_.layout()); // brings the index up to date
}

void Import::write_files(const Record& record, const Facts& facts)
{
    const StagedImage image{staging_};
    image.write(image_dir::manifest, unpacked_.manifest);
    image.write(image_dir::record, record.write());
    image.write(image_dir::used, {}, 0660);
    if (facts.fingerprint)
        image.write(image_dir::signature, facts.signature);
}

} // namespace rocket::store
