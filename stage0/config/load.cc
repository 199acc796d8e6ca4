// SPDX-License-Identifier: Apache-2.0
// Finding the files and merging what they say (cli 3.1).
#include <algorithm>
#include <array>
#include <vector>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/config/config.hh"
#include "stage0/config/kinds.hh"

namespace rocket::config
{

namespace json = model::json;

namespace
{

constexpr std::size_t max_file_size = std::size_t{1} << 20;

struct SubDirectory {
    const char* name;
    std::vector<std::string_view> kinds;
};

const std::array<SubDirectory, 5>& sub_directories()
{
    static const std::array<SubDirectory, 5> all{{
        {"auth.d", {"auth", "dockerAuth"}},
        {"images.d", {"images"}},
        {"paths.d", {"paths"}},
        {"registries.d", {"registry"}},
        {"stage1.d", {"stage1"}},
    }};
    return all;
}

bool is_there(const std::string& directory)
{
    const auto info = sys::stat_if_exists(AT_FDCWD, directory, 0);
    if (info && !S_ISDIR(info->st_mode))
        fail(Error::Kind::corrupt, "expected {} to be a directory", text::quoted(directory));
    return info.has_value();
}

// The first line of what the JSON reader says: the others would show the text, and in it, secrets.
[[noreturn]] void fail_without_excerpt(const Error& error)
{
    const auto& text = error.innermost();
    throw Error{error.kind(), text.substr(0, text.find('\n'))};
}

json::Value parse(const std::string& content, const std::string& path)
{
    try {
        return json::parse(content, text::quoted(path));
    } catch (const Error& error) {
        fail_without_excerpt(error);
    }
}

std::string join_quoted(const std::vector<std::string_view>& words)
{
    std::string joined;
    for (const auto word : words)
        joined += (joined.empty() ? "" : " ") + text::quoted(word);
    return joined;
}

const KindOfFile& kind_of(json::Fields& file, const std::string& path, const std::string& directory_path,
                          const SubDirectory& expected)
{
    const auto kind = file.text_or("rktKind", "");
    const auto version = file.text_or("rktVersion", "");
    if (kind.empty())
        fail(Error::Kind::corrupt, "no rktKind specified in {}", text::quoted(path));
    if (version.empty())
        fail(Error::Kind::corrupt, "no rktVersion specified in {}", text::quoted(path));
    if (std::ranges::find(expected.kinds, kind) == expected.kinds.end())
        fail(Error::Kind::corrupt,
             "the configuration directory {} expects to have configuration files of kinds {}, but {} has kind of {}",
             text::quoted(directory_path), join_quoted(expected.kinds), text::quoted(path), text::quoted(kind));
    for (const auto& known : known_kinds())
        if (known.kind == kind && known.version == version)
            return known;
    fail(Error::Kind::corrupt, "no parser available for configuration of kind {} and version {} in {}",
         text::quoted(kind), text::quoted(version), text::quoted(path));
}

void add_file(const std::string& content, const std::string& path, const std::string& directory_path,
              const SubDirectory& expected, Config& config)
{
    const auto document = parse(content, path);
    json::Fields file{json::Cursor{document, text::quoted(path)}};
    const auto& kind = kind_of(file, path, directory_path, expected);
    try {
        kind.add(file, config);
    } catch (const Error& error) {
        throw Error{error.kind(), fmt::format("failed to parse {}: {}", text::quoted(path), error.innermost()),
                    error.hint()};
    }
}

// The name of the file belongs to the innermost cause, which is all that most users see (Q60).
std::string read(const std::string& path)
{
    try {
        return file::read(AT_FDCWD, path, max_file_size);
    } catch (const Error& error) {
        throw Error{error.kind(), error.what()};
    }
}

void add_sub_directory(const std::string& directory, const SubDirectory& which, Config& config)
{
    if (!is_there(directory))
        return;
    for (const auto& name : file::list(AT_FDCWD, directory)) {
        if (!name.ends_with(".json"))
            continue;
        const auto path = directory + "/" + name;
        // Links are followed (Q58), and one that leads nowhere is a mistake worth telling. What is not a regular
        // file then, such as a FIFO or a link to /dev/null, is skipped without being opened.
        if (S_ISREG(sys::stat_at(AT_FDCWD, path, 0).st_mode))
            add_file(read(path), path, directory, which, config);
    }
}

Config load_directory(const std::string& path)
{
    Config config;
    if (path.empty() || !is_there(path))
        return config;
    for (const auto& which : sub_directories())
        add_sub_directory(path + "/" + which.name, which, config);
    return config;
}

void override_with(std::string& field, std::string& later)
{
    if (!later.empty())
        field = std::move(later);
}

template <typename Value>
void override_with(std::optional<Value>& field, std::optional<Value>& later)
{
    if (later)
        field = std::move(later);
}

// Item by item, what `later` has wins.
void merge(Config& config, Config later)
{
    for (auto& [domain, credentials] : later.auth)
        config.auth.insert_or_assign(domain, std::move(credentials));
    for (auto& [registry, credentials] : later.docker_auth)
        config.docker_auth.insert_or_assign(registry, std::move(credentials));
    for (auto& [prefix, registry] : later.registries)
        config.registries.insert_or_assign(prefix, std::move(registry));
    override_with(config.paths.data, later.paths.data);
    override_with(config.paths.stage1_images, later.paths.stage1_images);
    override_with(config.stage1.name, later.stage1.name); // the version goes with it
    override_with(config.stage1.version, later.stage1.version);
    override_with(config.stage1.location, later.stage1.location);
    for (const auto& [name, number] : later.images.limits)
        config.images.limits.insert_or_assign(name, number);
    override_with(config.images.grace_seconds, later.images.grace_seconds);
    override_with(config.images.largest_store, later.images.largest_store);
    override_with(config.images.kept_by_name, later.images.kept_by_name);
}

} // namespace

Config load(const Directories& directories)
{
    Config config;
    for (const auto& path : {directories.system, directories.local, directories.user})
        merge(config, load_directory(path));
    return config;
}

} // namespace rocket::config
