// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/store.hh"

#include <algorithm>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"

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
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.imported_ns > b.imported_ns; });
    return entries;
}

bool Store::has(const ImageId& id) const
{
    return read_entry(layout_, id).has_value();
}

Record Store::record(const ImageId& id) const
{
    auto content = file::read_if_exists(AT_FDCWD, layout_.image(id) + "/" + image_dir::record);
    if (!content)
        fail_missing(id);
    return Record::parse(*content);
}

std::string Store::manifest_bytes(const ImageId& id) const
{
    auto content = file::read_if_exists(AT_FDCWD, layout_.image(id) + "/" + image_dir::manifest);
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
    auto archive = sys::open_if_exists(AT_FDCWD, layout_.image(id) + "/" + image_dir::archive,
                                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!archive)
        fail_missing(id);
    return std::move(*archive);
}

std::optional<Entry> Store::find_dependent(const ImageId& id) const
{
    for (auto& entry : list()) {
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
