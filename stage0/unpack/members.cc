// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/members.hh"

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/report.hh"

namespace rocket::unpack
{

namespace
{

// A record is four fields, each with a NUL behind it: path, offset, size, target of the link.
std::string_view take_field(std::string_view& rest)
{
    const auto end = rest.find('\0');
    if (end == rest.npos)
        fail(Error::Kind::corrupt, "the list of an archive's members is malformed");
    const auto field = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return field;
}

std::uint64_t take_number(std::string_view& rest)
{
    const auto number = text::parse_decimal(take_field(rest), INT64_MAX);
    if (!number)
        fail(Error::Kind::corrupt, "the list of an archive's members is malformed");
    return *number;
}

} // namespace

Members Members::parse(std::string_view bytes)
{
    Members members;
    while (!bytes.empty()) {
        const std::string path{take_field(bytes)};
        ArchivedFile file;
        file.offset = take_number(bytes);
        file.size = take_number(bytes);
        file.link = take_field(bytes);
        members.files[path] = std::move(file);
    }
    return members;
}

std::string Members::write() const
{
    std::string out;
    for (const auto& [path, file] : files)
        for (const auto& field : {path, std::to_string(file.offset), std::to_string(file.size), file.link})
            (out += field) += '\0';
    if (out.size() > largest_list)
        fail(Error::Kind::corrupt, "the archive has too many members");
    return out;
}

} // namespace rocket::unpack
