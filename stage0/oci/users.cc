// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/users.hh"

#include <algorithm>
#include <optional>

#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

struct PasswdLine {
    std::string name;
    std::uint32_t uid;
    std::uint32_t gid;
};

struct GroupLine {
    std::string name;
    std::uint32_t gid;
    std::vector<std::string> members;
};

std::vector<PasswdLine> parse_passwd(std::string_view text)
{
    std::vector<PasswdLine> lines;
    for (const auto& line : text::split(text, '\n')) {
        const auto fields = text::split(line, ':');
        const auto uid = fields.size() >= 4 ? text::parse_id(fields[2]) : std::nullopt;
        const auto gid = uid ? text::parse_id(fields[3]) : std::nullopt;
        if (gid)
            lines.push_back({fields[0], *uid, *gid});
    }
    return lines;
}

std::vector<GroupLine> parse_group(std::string_view text)
{
    std::vector<GroupLine> lines;
    for (const auto& line : text::split(text, '\n')) {
        const auto fields = text::split(line, ':');
        if (const auto gid = fields.size() >= 4 ? text::parse_id(fields[2]) : std::nullopt)
            lines.push_back({fields[0], *gid, text::split(fields[3], ',')});
    }
    return lines;
}

std::vector<std::uint32_t> groups_of(const std::vector<GroupLine>& groups, const std::string& user)
{
    std::vector<std::uint32_t> gids;
    for (const auto& line : groups)
        if (std::ranges::find(line.members, user) != line.members.end())
            gids.push_back(line.gid);
    std::ranges::sort(gids);
    gids.erase(std::unique(gids.begin(), gids.end()), gids.end());
    return gids;
}

} // namespace

User resolve_user(std::string_view wanted, std::string_view passwd, std::string_view group)
{
    const auto colon = wanted.find(':');
    const std::string user{wanted.substr(0, colon)};
    const std::string group_part{colon == wanted.npos ? std::string_view{} : wanted.substr(colon + 1)};
    const auto users = parse_passwd(passwd);
    const auto groups = parse_group(group);

    User result{.user = user.empty() ? "0" : user, .group = "0"};
    const auto uid = text::parse_id(result.user); // digits are a number, whatever passwd calls so (OMAP-6)
    const auto line = std::ranges::find_if(
        users, [&](const PasswdLine& entry) { return uid ? entry.uid == *uid : entry.name == result.user; });
    if (uid)
        result.user = std::to_string(*uid);
    if (line != users.end()) {
        result.user = std::to_string(line->uid);
        result.group = std::to_string(line->gid);
    }
    if (group_part.empty()) {
        if (line != users.end() && !user.empty())
            result.supplementary_gids = groups_of(groups, line->name);
        return result;
    }
    result.group = group_part;
    if (const auto gid = text::parse_id(group_part))
        result.group = std::to_string(*gid);
    else if (const auto named = std::ranges::find(groups, group_part, &GroupLine::name); named != groups.end())
        result.group = std::to_string(named->gid);
    return result;
}

} // namespace rocket::oci
