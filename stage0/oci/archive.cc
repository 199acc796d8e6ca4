// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/archive.hh"

#include <linux/openat2.h>

#include <algorithm>
#include <deque>
#include <set>

#include <fmt/ranges.h>

#include "common/sys/sys.hh"

namespace rocket::oci
{

namespace
{

constexpr const char* ref_name = "org.opencontainers.image.ref.name";
constexpr const char* containerd_name = "io.containerd.image.name";
constexpr int most_links = 16;

Bytes all_of(Fd fd)
{
    const auto info = sys::stat(fd.get());
    return {.file = std::make_shared<Fd>(std::move(fd)), .size = static_cast<std::uint64_t>(info.st_size)};
}

// A link's target, seen from the directory of `path`; nullopt if it leaves the archive.
std::optional<std::string> followed(const std::string& path, const std::string& target)
{
    std::vector<std::string> parts;
    if (const auto slash = path.rfind('/'); slash != path.npos)
        parts = text::split(path.substr(0, slash), '/');
    for (const auto& part : text::split(target, '/')) {
        if (part.empty() || part == ".")
            continue;
        if (part != "..") {
            parts.push_back(part);
            continue;
        }
        if (parts.empty())
            return std::nullopt;
        parts.pop_back();
    }
    if (target.starts_with('/'))
        return std::nullopt;
    return fmt::format("{}", fmt::join(parts, "/"));
}

std::string blob_path(const store::ContentDigest& digest)
{
    return fmt::format("blobs/{}/{}", digest.algorithm(), digest.hex());
}

void check_layout(const Files& files)
{
    const auto value = model::json::parse(files.read("oci-layout", 65536), "oci-layout");
    const auto version = model::json::Fields{{value, "oci-layout"}}.required("imageLayoutVersion").text();
    if (!version.starts_with("1."))
        fail(Error::Kind::unsupported, "the image layout is of version {}; 1.x is known", text::quoted(version));
}

std::string annotation(const Descriptor& descriptor, const char* key)
{
    const auto found = descriptor.annotations.find(key);
    return found == descriptor.annotations.end() ? "" : found->second;
}

std::string names_in(const Index& index)
{
    std::set<std::string> names;
    for (const auto& entry : index.manifests)
        if (const auto name = annotation(entry, ref_name); !name.empty())
            names.insert(text::printable(name));
    return names.empty() ? "" : fmt::format("; there are {}", fmt::join(names, ", "));
}

Index only_one(Index index)
{
    std::erase_if(index.manifests, [](const Descriptor& entry) {
        const auto kind = kind_of(entry.media_type);
        return kind != MediaKind::manifest && kind != MediaKind::index && kind != MediaKind::schema1;
    });
    const bool by_platform = std::ranges::all_of(index.manifests, [&](const Descriptor& entry) {
        return entry.platform && annotation(entry, ref_name) == annotation(index.manifests.front(), ref_name);
    });
    if (index.manifests.empty())
        fail(Error::Kind::not_found, "there is no image in it");
    if (index.manifests.size() > 1 && !by_platform)
        throw Error{Error::Kind::usage, fmt::format("there are several images in it{}", names_in(index)),
                    "add :NAME, or :@DIGEST"};
    return index;
}

} // namespace

std::string Bytes::read() const
{
    std::string content(size, '\0');
    for (std::size_t done = 0; done < size;) {
        const auto got = sys::check(
            [&] { return ::pread(file->get(), content.data() + done, size - done, static_cast<off_t>(begin + done)); },
            "reading a part of the image");
        if (got == 0)
            fail(Error::Kind::corrupt, "a part of the image is cut off");
        done += static_cast<std::size_t>(got);
    }
    return content;
}

Bytes Files::open(const std::string& path) const
{
    auto found = find(path);
    if (!found)
        fail(Error::Kind::not_found, "there is no {} in it", text::quoted(path));
    return std::move(*found);
}

std::string Files::read(const std::string& path, std::uint64_t limit) const
{
    const auto bytes = open(path);
    if (bytes.size > limit)
        fail(Error::Kind::corrupt, "{} is larger than {} bytes", text::quoted(path), limit);
    return bytes.read();
}

Directory::Directory(const std::string& path) : dir_{sys::open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY)} {}

std::optional<Bytes> Directory::find(const std::string& path) const
{
    auto fd = sys::open_resolved_if_exists(dir_.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
                                           RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    if (!fd || !S_ISREG(sys::stat(fd->get()).st_mode))
        return std::nullopt;
    return all_of(std::move(*fd));
}

Archive::Archive(const std::string& path, const std::string& scratch, const store::Options& options)
{
    auto file = sys::open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!S_ISREG(sys::stat(file.get()).st_mode))
        fail(Error::Kind::usage, "{} is not a regular file", text::quoted(path));
    if (sys::stat(file.get()).st_size == 0)
        fail(Error::Kind::corrupt, "{} is empty", text::quoted(path));
    auto tar = sys::open(AT_FDCWD, scratch, O_TMPFILE | O_RDWR, 0600);
    store::UnpackJob job{.content = store::UnpackJob::Content::files,
                         .archive = file.get(),
                         .limits = options.limits,
                         .tick = options.tick};
    char head[2] = {};
    const bool compressed = ::pread(file.get(), head, 2, 0) == 2 &&
                            (head[0] == '\x1f' || head[0] == '\x28' || head[0] == '\xfd' || head[0] == 'B');
    if (compressed) // told from a tar, which begins with a name, by the worker in any case
        job.tar = tar.get();
    const auto listed = store::unpack_image(job);
    members_ = unpack::Members::parse(listed.files);
    const bool was_plain = listed.archive_bytes == listed.tar_bytes && !compressed;
    if (!was_plain && !compressed)
        fail(Error::Kind::unsupported, "{} is compressed in an unusual way", text::quoted(path));
    tar_ = std::make_shared<Fd>(was_plain ? std::move(file) : std::move(tar));
}

std::optional<Bytes> Archive::find(const std::string& path) const
{
    auto name = path;
    for (int links = 0; links < most_links; ++links) {
        const auto found = members_.files.find(name);
        if (found == members_.files.end())
            return std::nullopt;
        const auto& member = found->second;
        if (member.link.empty())
            return Bytes{.file = tar_, .begin = member.offset, .size = member.size};
        const auto target = followed(name, member.link);
        if (!target)
            fail(Error::Kind::corrupt, "{} is a link out of the archive", text::quoted(name));
        name = *target;
    }
    fail(Error::Kind::corrupt, "{} is one of too many links", text::quoted(path));
}

std::string LayoutContent::document(const Descriptor& descriptor, std::uint64_t limit)
{
    return files_.read(blob_path(descriptor.digest), limit);
}

void LayoutContent::layers(std::span<const LayerPlace> places, const OnLayer& done)
{
    for (std::size_t i = 0; i < places.size(); ++i)
        done(i, files_.open(blob_path(*places[i].digest)));
}

Index find_in_layout(const Files& files, const std::string& name)
{
    check_layout(files);
    auto index = Index::parse(files.read("index.json", largest_manifest));
    if (name.empty())
        return only_one(std::move(index));
    for (const auto* key : {ref_name, containerd_name}) {
        const auto matches = [&](const Descriptor& entry) { return annotation(entry, key) == name; };
        if (const auto found = std::ranges::find_if(index.manifests, matches); found != index.manifests.end()) {
            Index named;
            std::ranges::copy_if(index.manifests, std::back_inserter(named.manifests), matches);
            if (!std::ranges::all_of(named.manifests, [](const auto& entry) { return entry.platform.has_value(); }))
                named.manifests = {*found};
            return named;
        }
    }
    if (name.starts_with('@'))
        for (const auto& entry : index.manifests)
            if (entry.digest.str() == name.substr(1))
                return {.manifests = {entry}};
    throw Error{Error::Kind::not_found,
                fmt::format("there is no image {} in it{}", text::quoted(name), names_in(index))};
}

} // namespace rocket::oci
