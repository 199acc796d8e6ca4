// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/member_name.hh"

#include <algorithm>

#include <fmt/ranges.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::unpack
{

namespace
{

std::vector<std::string> cleaned_parts(std::string_view raw, const Limits& limits)
{
    const auto name = text::quoted(raw.substr(0, 200));
    if (raw.starts_with('/'))
        fail(Error::Kind::corrupt, "the name {} is absolute", name);
    if (raw.size() > limits.path_bytes)
        fail(Error::Kind::corrupt, "the name {}... is longer than {} bytes (limit path-bytes)", name,
             limits.path_bytes);
    std::vector<std::string> parts;
    for (auto& part : text::split(raw, '/')) {
        if (part.empty() || part == ".")
            continue;
        if (part == "..")
            fail(Error::Kind::corrupt, "the name {} contains \"..\"", name);
        if (part.size() > limits.name_bytes)
            fail(Error::Kind::corrupt, "a part of the name {}... is longer than {} bytes (limit name-bytes)", name,
                 limits.name_bytes);
        parts.push_back(std::move(part));
    }
    if (parts.size() > limits.depth)
        fail(Error::Kind::corrupt, "the name {}... is deeper than {} directories (limit depth)", name, limits.depth);
    return parts;
}

} // namespace

std::string parse_layer_path(std::string_view raw, const Limits& limits)
{
    const auto start = std::min(raw.find_first_not_of('/'), raw.size());
    if (raw.empty())
        fail(Error::Kind::corrupt, "a member of the archive has an empty name");
    return fmt::format("{}", fmt::join(cleaned_parts(raw.substr(start), limits), "/"));
}

MemberName parse_member_name(std::string_view raw, const Limits& limits)
{
    if (raw.empty())
        fail(Error::Kind::corrupt, "a member of the archive has an empty name");
    auto parts = cleaned_parts(raw, limits);
    if (parts.empty())
        return {};
    if (parts.front() == "manifest" && parts.size() == 1)
        return {.place = MemberName::Place::manifest};
    if (parts.front() != "rootfs")
        fail(Error::Kind::corrupt, "the archive holds {}, which is neither the manifest nor below rootfs",
             text::quoted(raw));
    parts.erase(parts.begin());
    return {.place = MemberName::Place::rootfs, .path = fmt::format("{}", fmt::join(parts, "/"))};
}

} // namespace rocket::unpack
