// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/import.hh"

#include <cstdio>

#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/render.hh"

namespace rocket::store
{

namespace
{

namespace image_dir = model::image_dir;

constexpr const char* staged_image = "image";

void write_file(int dir, const char* name, std::string_view content, mode_t mode)
{
    const auto fd = sys::open(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode);
    sys::check([&] { return ::fchmod(fd.get(), mode); }, "setting the mode of {}", text::quoted(name));
    with_context(fmt::format("writing {}", text::quoted(name)), [&] { sys::write_all(fd.get(), content); });
}

Fd make_staged_archive(int staging)
{
    sys::make_dir(staging, staged_image, 0770);
    const auto path = std::string{staged_image} + "/" + image_dir::archive;
    auto archive = sys::open(staging, path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0640);
    sys::check([&] { return ::fchmod(archive.get(), 0640); }, "setting the mode of {}", text::quoted(path));
    return archive;
}

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
    : store_{store}, staging_{store.layout()}, archive_{make_staged_archive(staging_.fd())}, with_tree_{can_render()},
      unpacked_{unpack_into(store, archive, archive_.get(), with_tree_ ? make_staged_tree(staging_.fd()).get() : -1)},
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
    if (with_tree_)
        statement = finish_staged_tree(store_, staging_.fd(), recipe);
    write_files(record, facts);
    sys::syncfs(staging_.fd()); // archive, tree and all: nothing gets its name before it is on disk

    const auto lock = NamedLock::take(store_.layout().image_lock(id()), [&] {
        if (store_.options().on_wait)
            store_.options().on_wait(
                fmt::format("another process is busy with image {}, waiting", text::quoted(id().key())));
    });
    if (with_tree_)
        publish_staged_tree(store_.layout(), staging_.fd(), id(), statement);
    publish_image(record.is_verified());
    read_catalog(store_.layout()); // brings the index up to date
}

void Import::write_files(const Record& record, const Facts& facts)
{
    const auto dir = sys::open(staging_.fd(), staged_image, O_RDONLY | O_DIRECTORY);
    sys::check([&] { return ::fchmod(dir.get(), 02770); }, "setting the mode of {}", text::quoted(staged_image));
    write_file(dir.get(), image_dir::manifest, unpacked_.manifest, 0640);
    write_file(dir.get(), image_dir::record, record.write(), 0640);
    write_file(dir.get(), image_dir::used, {}, 0660);
    if (facts.fingerprint)
        write_file(dir.get(), image_dir::signature, facts.signature, 0640);
}

// An image that is there stays if it is whole and was let in on grounds as good as ours. Otherwise it is exchanged for
// ours in one step, archive and all: our signature is for our archive, which may be compressed differently.
void Import::publish_image(bool verified)
{
    const auto& layout = store_.layout();
    const auto images = sys::open(AT_FDCWD, layout.images(), O_RDONLY | O_DIRECTORY);
    const auto key = id().key();
    if (!sys::rename_no_replace(staging_.fd(), staged_image, images.get(), key)) {
        const auto there = read_entry(layout, id());
        if (there && (there->verified || !verified))
            return store_.mark_used(id());
        sys::check([&] { return ::renameat2(staging_.fd(), staged_image, images.get(), key.c_str(), RENAME_EXCHANGE); },
                   "replacing image {}", text::quoted(key));
    }
    sys::fsync(images.get());
}

} // namespace rocket::store
