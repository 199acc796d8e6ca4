// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/layer_stack.hh"

#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <set>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/tree_digest.hh"

namespace rocket::store
{

namespace
{

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr int most_links = 40; // as the kernel

std::deque<std::string> parts_of(const std::string& path)
{
    std::deque<std::string> parts;
    for (auto& part : text::split(path, '/'))
        if (!part.empty() && part != ".")
            parts.push_back(std::move(part));
    return parts;
}

std::string joined(const std::vector<std::string>& parts)
{
    std::string path;
    for (const auto& part : parts)
        path += (path.empty() ? "" : "/") + part;
    return path;
}

} // namespace

bool is_whiteout(const struct stat& info) noexcept
{
    return S_ISCHR(info.st_mode) && info.st_rdev == ::makedev(0, 0);
}

bool is_opaque(int dir) noexcept
{
    char value = 0;
    return (::fgetxattr(dir, opaque_xattr, &value, 1) == 1 && value == 'y') ||
           ::faccessat(dir, opaque_file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

std::optional<MergedEntry> find_in(const MergedDir& directory, const std::string& name)
{
    std::optional<MergedEntry> found;
    for (const auto& [tree, dir] : directory.parts) {
        const auto info = sys::stat_if_exists(dir.get(), name);
        if (!info)
            continue;
        if (!S_ISDIR(info->st_mode)) {
            if (!found && !is_whiteout(*info))
                found = MergedEntry{.info = *info, .tree = tree, .parent = dir.get()};
            break;
        }
        if (!found)
            found = MergedEntry{.info = *info, .tree = tree, .directory = std::make_shared<MergedDir>()};
        found->directory->parts.push_back({tree, sys::open(dir.get(), name, directory_flags)});
        if (is_opaque(found->directory->parts.back().dir.get()))
            break;
    }
    return found;
}

std::vector<std::string> names_in(const MergedDir& directory)
{
    std::set<std::string> names;
    for (const auto& part : directory.parts)
        for (auto& name : file::list(part.dir.get(), "."))
            names.insert(std::move(name));
    std::vector<std::string> visible;
    for (const auto& name : names)
        if (directory.parts.size() == 1 ? !is_whiteout(sys::stat_at(directory.parts[0].dir.get(), name))
                                        : find_in(directory, name).has_value())
            visible.push_back(name);
    return visible;
}

LayerStack::LayerStack(std::vector<Fd> trees) : trees_{std::move(trees)} {}

LayerStack LayerStack::open(const std::vector<std::string>& trees)
{
    std::vector<Fd> opened;
    for (const auto& tree : trees)
        opened.push_back(sys::open(AT_FDCWD, tree, directory_flags));
    return LayerStack{std::move(opened)};
}

std::shared_ptr<MergedDir> LayerStack::root() const
{
    auto root = std::make_shared<MergedDir>();
    for (std::size_t i = 0; i < trees_.size(); ++i)
        root->parts.push_back({i, sys::open(trees_[i].get(), ".", directory_flags)});
    return root;
}

std::optional<MergedEntry> LayerStack::find(const std::string& path) const
{
    const auto top = root();
    MergedEntry entry{.info = sys::stat(top->parts[0].dir.get()), .directory = top};
    std::shared_ptr<MergedDir> parent; // keeps `entry.parent` open as long as it is used
    for (const auto& part : parts_of(path)) {
        if (!entry.directory)
            return std::nullopt;
        parent = entry.directory;
        auto next = find_in(*parent, part);
        if (!next)
            return std::nullopt;
        entry = std::move(*next);
    }
    entry.parent = -1; // closed with `parent`
    return entry;
}

std::string LayerStack::resolve(const std::string& path) const
{
    std::vector<std::string> done;
    int links = 0;
    for (auto rest = parts_of(path); !rest.empty();) {
        const auto part = rest.front();
        rest.pop_front();
        if (part == "..") {
            if (!done.empty())
                done.pop_back();
            continue;
        }
        done.push_back(part);
        const auto entry = find(joined(done));
        if (!entry || !S_ISLNK(entry->info.st_mode))
            continue;
        if (++links > most_links)
            throw system_error(ELOOP, fmt::format("resolving {} in the image", text::quoted(path)));
        const auto link = joined(done);
        done.pop_back();
        const auto slash = link.rfind('/');
        const auto parent = find(slash == link.npos ? "" : link.substr(0, slash));
        const auto& parts = parent->directory->parts;
        const auto holder = std::ranges::find(parts, entry->tree, &MergedDir::Part::tree);
        const auto target = sys::read_link(holder->dir.get(), part);
        if (target.starts_with('/'))
            done.clear();
        auto more = parts_of(target);
        rest.insert(rest.begin(), more.begin(), more.end());
    }
    return joined(done);
}

std::optional<std::string> LayerStack::read_file(const std::string& path, std::size_t limit) const
{
    const auto place = resolve(path);
    const auto entry = find(place);
    if (!entry || !S_ISREG(entry->info.st_mode) || static_cast<std::uint64_t>(entry->info.st_size) > limit)
        return std::nullopt;
    return file::read(trees_[entry->tree].get(), place, limit);
}

} // namespace rocket::store
