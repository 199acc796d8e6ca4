// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/attributes.hh"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::unpack
{

namespace
{

std::string shown_name(archive_entry* entry)
{
    return text::quoted(::archive_entry_pathname(entry));
}

std::uint32_t checked_id(std::int64_t id, std::string_view what, archive_entry* entry)
{
    if (id < 0 || id > std::int64_t{UINT32_MAX} - 1) // the last one means "do not change" to the kernel
        fail(Error::Kind::corrupt, "{} has the {} id {}, which is out of range", shown_name(entry), what, id);
    return static_cast<std::uint32_t>(id);
}

// What every file system can hold; years 1901 to 2446 are ext4's range.
constexpr std::int64_t earliest = -(std::int64_t{1} << 31);
constexpr std::int64_t latest = (std::int64_t{1} << 34) - (std::int64_t{1} << 31) - 1;

// The kernel's form of an ACL: version 2, then (tag, permissions, id), little endian, in the order of the tags.
constexpr std::size_t acl_of_mode_only = 4 + 3 * 8; // says no more than the mode, and is not kept by the kernel

void append_number(std::string& out, std::uint32_t value, int bytes)
{
    for (int shift = 0; shift < 8 * bytes; shift += 8)
        out += static_cast<char>(value >> shift & 0xFFU);
}

std::uint32_t kernel_tag(int tag, archive_entry* entry)
{
    switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
        return 0x01;
    case ARCHIVE_ENTRY_ACL_USER:
        return 0x02;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
        return 0x04;
    case ARCHIVE_ENTRY_ACL_GROUP:
        return 0x08;
    case ARCHIVE_ENTRY_ACL_MASK:
        return 0x10;
    case ARCHIVE_ENTRY_ACL_OTHER:
        return 0x20;
    default:
        fail(Error::Kind::corrupt, "{} has an access control list of an unknown kind", shown_name(entry));
    }
}

std::string kernel_acl(archive_entry* entry, int kind)
{
    std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> rows; // tag, id, permissions
    ::archive_entry_acl_reset(entry, kind);
    int type = 0, permissions = 0, tag = 0, id = 0;
    const char* name = nullptr;
    while (::archive_entry_acl_next(entry, kind, &type, &permissions, &tag, &id, &name) == ARCHIVE_OK) {
        const bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
        rows.emplace_back(kernel_tag(tag, entry), named ? checked_id(id, "access control list's", entry) : UINT32_MAX,
                          static_cast<std::uint32_t>(permissions) & 7U);
    }
    std::sort(rows.begin(), rows.end());
    std::string acl;
    append_number(acl, 2, 4);
    for (const auto& [kernel, row_id, row_permissions] : rows) {
        append_number(acl, kernel, 2);
        append_number(acl, row_permissions, 2);
        append_number(acl, row_id, 4);
    }
    return acl;
}

void add_acls(store::Attributes& attributes, archive_entry* entry)
{
    if ((::archive_entry_acl_types(entry) & ARCHIVE_ENTRY_ACL_TYPE_NFS4) != 0)
        fail(Error::Kind::corrupt, "{} has an NFSv4 access control list, which Linux does not know", shown_name(entry));
    if (::archive_entry_acl_count(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) > 0)
        attributes.xattrs["system.posix_acl_access"] = kernel_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
    if (::archive_entry_acl_count(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) > 0)
        attributes.xattrs["system.posix_acl_default"] = kernel_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT);
    const auto access = attributes.xattrs.find("system.posix_acl_access");
    if (access != attributes.xattrs.end() && access->second.size() <= acl_of_mode_only)
        attributes.xattrs.erase(access);
}

void add_xattrs(store::Attributes& attributes, archive_entry* entry, const Limits& limits, bool drop_foreign)
{
    ::archive_entry_xattr_reset(entry);
    const char* raw_name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    std::size_t total = 0;
    while (::archive_entry_xattr_next(entry, &raw_name, &value, &size) == ARCHIVE_OK) {
        const std::string name = raw_name == nullptr ? "" : raw_name;
        const bool is_images = store::is_image_xattr(name);
        if (name.starts_with("security.") && !is_images)
            continue;
        if (drop_foreign && (!is_images || name.starts_with("user.overlay.")))
            continue;
        if (!is_images)
            fail(Error::Kind::corrupt, "{} has the extended attribute {}, which an image cannot set", shown_name(entry),
                 text::quoted(name));
        total += name.size() + size;
        if (total > limits.xattr_bytes || name.size() > limits.name_bytes)
            fail(Error::Kind::corrupt, "{} has more than {} bytes of extended attributes (limit xattr-bytes)",
                 shown_name(entry), limits.xattr_bytes);
        attributes.xattrs[name].assign(static_cast<const char*>(value), size);
    }
}

} // namespace

store::Attributes attributes_of(archive_entry* entry, const Limits& limits, bool drop_foreign_xattrs)
{
    store::Attributes attributes{
        .mode = ::archive_entry_perm(entry) & 07777U,
        .uid = checked_id(::archive_entry_uid(entry), "user", entry),
        .gid = checked_id(::archive_entry_gid(entry), "group", entry),
        .mtime = std::clamp<std::int64_t>(::archive_entry_mtime(entry), earliest, latest),
        .mtime_nsec = static_cast<std::uint32_t>(::archive_entry_mtime_nsec(entry)),
    };
    add_xattrs(attributes, entry, limits, drop_foreign_xattrs);
    add_acls(attributes, entry);
    return attributes;
}

} // namespace rocket::unpack
