// SPDX-License-Identifier: Apache-2.0
#include "stage1/users.hh"

#include <algorithm>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t max_file_size = std::size_t{1} << 20; // R16

struct Kind {
    const char* noun;
    const char* file;
    const char* flag;
    std::size_t fields; // of a well-formed line, at least
    std::uint32_t (*owner)(const struct stat&);
};

constexpr Kind user_kind{"user", "/etc/passwd", "--user", 7, [](const struct stat& info) { return info.st_uid; }};
constexpr Kind group_kind{"group", "/etc/group", "--group", 4, [](const struct stat& info) { return info.st_gid; }};

std::optional<std::uint32_t> find(const Kind& kind, std::string_view content, std::string_view name)
{
    if (name.empty() || name.front() == '+' || name.front() == '-' || name.front() == '#')
        return std::nullopt; // NIS lines and comments name nobody
    while (!content.empty()) {
        const auto end = std::min(content.find('\n'), content.size());
        const auto fields = text::split(content.substr(0, end), ':');
        content.remove_prefix(std::min(end + 1, content.size()));
        if (fields.size() < kind.fields || fields[0] != name)
            continue;
        if (const auto id = text::parse_id(fields[2]))
            return id;
    }
    return std::nullopt;
}

// A file that is missing, no file, or unreadable has no entries (USR-5); one that is too large is an attack.
std::string read_database(const Kind& kind, const InRoot& root)
{
    try {
        return root.read_file(kind.file, max_file_size).value_or("");
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::corrupt)
            throw;
        return {};
    }
}

std::uint32_t owner_of(const Kind& kind, const std::string& path, const InRoot& root)
{
    const auto file = root.open_if_exists(path, O_PATH);
    if (!file)
        fail(Error::Kind::usage, "{} {} means the owner of a file, but the app's root has no such file", kind.noun,
             text::quoted(path));
    return kind.owner(sys::stat(file->get()));
}

std::uint32_t resolve(const Kind& kind, const std::string& value, const InRoot& root)
{
    if (value.starts_with('/'))
        return owner_of(kind, value, root);
    if (const auto id = find(kind, read_database(kind, root), value))
        return *id;
    const bool digits =
        !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (const auto id = digits ? text::parse_id(value) : std::nullopt)
        return *id;
    if (digits)
        fail(Error::Kind::usage, "{} id {} is out of range: ids go from 0 to 4294967294", kind.noun,
             text::quoted(value));
    if (value == "root") // also in an image that has no such files
        return 0;
    throw Error{Error::Kind::usage,
                fmt::format("{} {} is not in the app's {}", kind.noun, text::quoted(value), kind.file),
                fmt::format("give a number, a name that the image knows, or a path with {}", kind.flag)};
}

} // namespace

std::uint32_t resolve_user(const std::string& user, const InRoot& root)
{
    return resolve(user_kind, user, root);
}

std::uint32_t resolve_group(const std::string& group, const InRoot& root)
{
    return resolve(group_kind, group, root);
}

std::optional<std::uint32_t> find_in_passwd(std::string_view content, std::string_view name)
{
    return find(user_kind, content, name);
}

std::optional<std::uint32_t> find_in_group(std::string_view content, std::string_view name)
{
    return find(group_kind, content, name);
}

} // namespace rocket::stage1
