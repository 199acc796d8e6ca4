// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/catalog.hh"
#include "stage0/store/directories.hh"

#include <algorithm>

#include "common/model/image_manifest.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/index.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/record.hh"
#include "stage0/store/writer.hh"

namespace rocket::store
{

namespace
{

using model::ImageId;

// Changes whenever one of the image's files does: they are replaced as a whole, never written to.
std::optional<std::string> stamp_of(const model::Layout& layout, const ImageId& id)
{
    const auto dir = sys::open_if_exists(AT_FDCWD, layout.image(id), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!dir)
        return std::nullopt;
    const auto record = sys::stat_if_exists(dir->get(), model::image_dir::record);
    auto archive = sys::stat_if_exists(dir->get(), model::image_dir::archive);
    if (!archive) // made of layers
        archive = sys::stat_if_exists(dir->get(), model::image_dir::oci_config);
    const auto manifest = sys::stat_if_exists(dir->get(), model::image_dir::manifest);
    if (!record || !archive || !manifest)
        return std::nullopt;
    return fmt::format("{}.{:09}/{}/{}/{}/{}{}", record->st_mtim.tv_sec, record->st_mtim.tv_nsec, record->st_ino,
                       record->st_size, archive->st_size, manifest->st_size,
                       other_writer(dir->get()) ? "/somebody else's" : ""); // no row of the index has that
}

std::optional<Index::Rows> load_index(const model::Layout& layout)
{
    if (!sys::stat_if_exists(AT_FDCWD, layout.database()))
        return std::nullopt;
    try {
        return Index{layout.database(), Index::Access::read}.load();
    } catch (const Error&) { // corrupt, of another version, or not for us: the files have it all
        return std::nullopt;
    }
}

// Whatever goes wrong here costs time in the next command, nothing else.
void heal(const model::Layout& layout, const Index::Rows& put, const std::vector<ImageId>& erased, bool anew)
{
    if (::access(layout.cas().c_str(), W_OK) != 0)
        return;
    try {
        if (sys::make_dir_if_missing(AT_FDCWD, layout.database_dir(), 0750))
            ::chmod(layout.database_dir().c_str(), shared_mode(02750)); // whatever the umask
        const auto lock = NamedLock::try_take(layout.store_lock());
        if (!lock)
            return;
        if (anew)
            Index::erase(layout.database());
        Index{layout.database(), Index::Access::write}.update(put, erased);
    } catch (const Error&) {
    }
}

} // namespace

std::vector<ImageId> ids_in(const std::string& directory)
{
    std::vector<ImageId> ids;
    for (const auto& name : file::list_if_exists(AT_FDCWD, directory).value_or(std::vector<std::string>{})) {
        try {
            ids.push_back(ImageId::parse(name));
        } catch (const Error&) { // nothing of ours
        }
    }
    return ids;
}

namespace
{

// The archive, or else the layers.
bool has_content(const model::Layout& layout, int dir, const Record& record)
{
    if (record.is_layered())
        return sys::stat_if_exists(dir, model::image_dir::oci_config) &&
               (sys::stat_if_exists(dir, model::image_dir::pending) || // has them in it
                std::ranges::all_of(record.layers, [&](const auto& layer) {
                    return sys::stat_if_exists(AT_FDCWD, layout.layer(layer.key()) + "/" + model::layer_dir::record)
                        .has_value();
                }));
    const auto archive = sys::stat_at(dir, model::image_dir::archive);
    return S_ISREG(archive.st_mode) && static_cast<std::uint64_t>(archive.st_size) == record.archive_bytes;
}

} // namespace

std::optional<Entry> read_entry(const model::Layout& layout, const ImageId& id)
{
    try {
        const auto dir = sys::open(AT_FDCWD, layout.image(id), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const auto record = Record::parse(file::read(dir.get(), model::image_dir::record));
        if (record.id != id || !has_content(layout, dir.get(), record))
            return std::nullopt;
        const auto manifest = model::ImageManifest::parse(file::read(dir.get(), model::image_dir::manifest));
        const bool is_believed = !other_writer(dir.get());
        return Entry{.id = record.id,
                     .name = manifest.name,
                     .labels = manifest.labels,
                     .size = record.image_bytes + record.tree_bytes,
                     .imported_ns = record.imported_ns,
                     .verified = is_believed && record.is_verified(),
                     .is_believed = is_believed};
    } catch (const Error&) { // half there, or damaged: as good as not there
        return std::nullopt;
    }
}

std::vector<Entry> read_catalog(const model::Layout& layout)
{
    const auto ids = ids_in(layout.images());
    const auto index = load_index(layout);
    auto known = index.value_or(Index::Rows{});
    Index::Rows changed;
    std::vector<Entry> entries;
    for (const auto& id : ids) {
        const auto stamp = stamp_of(layout, id);
        if (!stamp)
            continue;
        if (const auto row = known.find(id); row != known.end() && row->second.stamp == *stamp) {
            entries.push_back(std::move(row->second.entry));
            known.erase(row);
        } else if (auto entry = read_entry(layout, id)) {
            if (entry->is_believed) // the index knows no others
                changed.emplace(id, Index::Row{*entry, *stamp});
            entries.push_back(std::move(*entry));
            known.erase(id);
        }
    }
    std::vector<ImageId> gone;
    for (const auto& [id, row] : known)
        gone.push_back(id);
    if (!changed.empty() || !gone.empty())
        heal(layout, changed, gone, !index);
    return entries;
}

void rebuild_index(const model::Layout& layout)
{
    const auto lock = NamedLock::take(layout.store_lock());
    Index::erase(layout.database());
    Index::Rows rows;
    for (const auto& id : ids_in(layout.images())) {
        const auto stamp = stamp_of(layout, id);
        if (auto entry = read_entry(layout, id); entry && stamp && entry->is_believed)
            rows.emplace(id, Index::Row{std::move(*entry), *stamp});
    }
    Index{layout.database(), Index::Access::write}.update(rows, {});
}

} // namespace rocket::store
