// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/store.hh"

#include <algorithm>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/writer.hh"

namespace rocket::store
{

namespace image_dir = model::image_dir;
using model::ImageId;

namespace
{

[[noreturn]] void fail_missing(const ImageId& id)
{
    fail(Error::Kind::not_found, "image {} is not in the local store", text::quoted(id.key()));
}

Fd open_directory(const model::Layout& layout, const ImageId& id)
{
    auto dir = sys::open_if_exists(AT_FDCWD, layout.image(id), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!dir)
        fail_missing(id);
    return std::move(*dir);
}

Fd open_archive_in(int dir, const ImageId& id)
{
    auto archive = sys::open_if_exists(dir, image_dir::archive, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!archive)
        fail_missing(id);
    return std::move(*archive);
}

} // namespace

Store::Store(model::Layout layout, Options options) : layout_{std::move(layout)}, options_{std::move(options)} {}

std::vector<Entry> Store::list() const
{
    return read_catalog(layout_);
}

ImageId Store::find(const model::ImageIdPrefix& prefix) const
{
    std::optional<ImageId> found;
    for (const auto& entry : list()) {
        if (!prefix.matches(entry.id))
            continue;
        if (found)
            throw Error{Error::Kind::usage, fmt::format("ambiguous image ID: {}", text::quoted(prefix.str())),
                        "give more digits; `rocket image list --full` shows them"};
        found = entry.id;
    }
    if (!found)
        throw Error{Error::Kind::not_found, "no image IDs found", "`rocket image list` shows what is in the store"};
    return *found;
}

std::vector<Entry> Store::find(const model::ImageName& name) const
{
    auto entries = list();
    std::erase_if(entries, [&](const Entry& entry) {
        return entry.name != name.name || !model::satisfies(entry.labels, name.labels);
    });
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.is_believed == b.is_believed ? a.imported_ns > b.imported_ns : a.is_believed;
    });
    return entries;
}

bool Store::has(const ImageId& id) const
{
    return read_entry(layout_, id).has_value();
}

std::optional<std::string> Store::other_writer(const ImageId& id) const
{
    return store::other_writer(open_directory(layout_, id).get());
}

Fd Store::open_image(const ImageId& id) const
{
    auto dir = open_directory(layout_, id);
    if (const auto who = store::other_writer(dir.get()))
        throw Error{
            Error::Kind::untrusted,
            fmt::format("image {} is by {}, whose word root does not take for it", text::quoted(id.key()), *who),
            fmt::format("`rocket image verify {}` looks at its signature; or fetch it again as root",
                        id.shortened(12))};
    return dir;
}

Record Store::record(const ImageId& id) const
{
    const auto content = file::read_if_exists(open_image(id).get(), image_dir::record);
    if (!content)
        fail_missing(id);
    return Record::parse(*content);
}

std::string Store::manifest_bytes(const ImageId& id) const
{
    auto content = file::read_if_exists(open_image(id).get(), image_dir::manifest);
    if (!content)
        fail_missing(id);
    return std::move(*content);
}

model::ImageManifest Store::manifest(const ImageId& id) const
{
    return model::ImageManifest::parse(manifest_bytes(id));
}

Fd Store::open_archive(const ImageId& id) const
{
    return open_archive_in(open_image(id).get(), id);
}

Fd Store::open_hearsay(const ImageId& id) const
{
    return open_directory(layout_, id);
}

Store::Raw Store::open_raw(const ImageId& id) const
{
    constexpr std::size_t largest_signature = std::size_t{64} << 10;
    const auto dir = open_directory(layout_, id);
    return {.archive = open_archive_in(dir.get(), id),
            .signature = file::read_if_exists(dir.get(), image_dir::signature, largest_signature).value_or("")};
}

std::optional<Entry> Store::find_dependent(const ImageId& id) const
{
    for (auto& entry : list()) {
        if (!entry.is_believed) // it finds others when it is taken in
            continue;
        const auto pinned = record(entry.id).dependencies;
        if (std::find(pinned.begin(), pinned.end(), id) != pinned.end())
            return std::move(entry);
    }
    return std::nullopt;
}

std::int64_t Store::last_used_ns(const ImageId& id) const
{
    const auto used = sys::stat_if_exists(AT_FDCWD, layout_.image(id) + "/" + image_dir::used);
    return used ? used->st_mtim.tv_sec * std::int64_t{1'000'000'000} + used->st_mtim.tv_nsec : 0;
}

void Store::mark_used(const ImageId& id) const
{
    ::utimensat(AT_FDCWD, (layout_.image(id) + "/" + image_dir::used).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

} // namespace rocket::store
