// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/place_member.hh"

#include <archive_entry.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "common/sys/error.hh"
#include "stage0/unpack/attributes.hh"

namespace rocket::unpack
{

namespace
{

void place_file(TarReader& reader, archive_entry* entry, const std::string& path, TreeWriter& writer,
                const ExtractOptions& options)
{
    writer.begin_file(path, attributes_of(entry, options.limits, options.drop_foreign_xattrs));
    const auto total = static_cast<std::uint64_t>(std::max<la_int64_t>(::archive_entry_size(entry), 0));
    const void* bytes = nullptr;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    while (reader.next_block(bytes, size, offset))
        writer.write(offset, {static_cast<const char*>(bytes), size});
    writer.end_file(total);
}

void check_target(const store::Inode& link, const std::string& shown, const Limits& limits)
{
    if (link.target.empty() || link.target.size() >= limits.link_bytes)
        fail(Error::Kind::corrupt, "the link {} has an empty target, or one longer than {} bytes (limit link-bytes)",
             shown, limits.link_bytes);
}

void check_device(const store::Inode& device, const std::string& shown, bool allow_devices)
{
    if (device.type == 'c' && device.device == ::makedev(0, 0))
        fail(Error::Kind::corrupt, "{} is an overlay white-out", shown);
    if (!allow_devices)
        fail(Error::Kind::corrupt, "the archive holds the device node {}: a pod has its own /dev", shown);
}

void place_special(const TarReader::Member& member, const std::string& path, char type, TreeWriter& writer,
                   const ExtractOptions& options)
{
    store::Inode inode{.type = type,
                       .attributes = attributes_of(member.entry, options.limits, options.drop_foreign_xattrs)};
    if (type == 'l') {
        inode.target = member.symlink.value_or("");
        inode.attributes.mode = 0777; // links have no mode of their own on Linux
        check_target(inode, writer.shown(path), options.limits);
    }
    if (type == 'c' || type == 'b') {
        inode.device = ::archive_entry_rdev(member.entry);
        check_device(inode, writer.shown(path), options.allow_devices);
    }
    writer.special(path, inode);
}

} // namespace

void place_member(TarReader& reader, const TarReader::Member& member, const std::string& path, TreeWriter& writer,
                  const ExtractOptions& options)
{
    switch (::archive_entry_filetype(member.entry)) {
    case AE_IFDIR:
        return writer.directory(path, attributes_of(member.entry, options.limits, options.drop_foreign_xattrs));
    case AE_IFREG:
        return place_file(reader, member.entry, path, writer, options);
    case AE_IFLNK:
        return place_special(member, path, 'l', writer, options);
    case AE_IFIFO:
        return place_special(member, path, 'p', writer, options);
    case AE_IFCHR:
        return place_special(member, path, 'c', writer, options);
    case AE_IFBLK:
        return place_special(member, path, 'b', writer, options);
    default:
        fail(Error::Kind::corrupt, "{} is of an unknown type", writer.shown(path));
    }
}

} // namespace rocket::unpack
