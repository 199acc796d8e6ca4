// SPDX-License-Identifier: Apache-2.0
// The worker's half of members.hh.
#include <archive_entry.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/member_name.hh"
#include "stage0/unpack/members.hh"
#include "stage0/unpack/tar_reader.hh"

namespace rocket::unpack
{

namespace
{

ArchivedFile archived(const TarReader::Member& member, const std::string& path)
{
    const auto type = ::archive_entry_filetype(member.entry);
    if (type == AE_IFLNK && member.symlink && member.symlink->find('\0') == std::string::npos)
        return {.link = *member.symlink};
    if (type != AE_IFREG || member.hard_link)
        fail(Error::Kind::corrupt, "the archive holds {}, which is no regular file", text::quoted(path));
    if (member.content.is_sparse)
        fail(Error::Kind::corrupt, "the archive holds the sparse file {}", text::quoted(path));
    return {.offset = member.content.offset, .size = member.content.size};
}

} // namespace

Members list_members(const Read& read, const Limits& limits)
{
    Members members;
    TarReader reader{read, limits};
    while (const auto member = reader.next()) {
        const auto path = parse_layer_path(member->path, limits);
        if (::archive_entry_filetype(member->entry) == AE_IFDIR && !member->hard_link)
            continue;
        if (!members.files.emplace(path, archived(*member, path)).second)
            fail(Error::Kind::corrupt, "the archive holds {} twice", text::quoted(path));
    }
    reader.expect_end();
    return members;
}

} // namespace rocket::unpack
