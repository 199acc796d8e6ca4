// SPDX-License-Identifier: Apache-2.0
#include "common/sys/path.hh"

#include <linux/openat2.h>

#include <vector>

#include "common/sys/sys.hh"

namespace rocket
{

namespace
{

constexpr std::uint64_t in_root = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

constexpr int link_limit = 40; // as the kernel's

// Where the link `name` in `parent`, which is the directory at the path `where`, points to; nullopt if it is no link.
std::optional<std::string> link_target(int parent, const std::string& name, const std::string& where, int& links)
{
    const auto found = sys::stat_if_exists(parent, name);
    if (!found || !S_ISLNK(found->st_mode))
        return std::nullopt;
    if (--links < 0)
        throw system_error(ELOOP, text::quoted(where + name));
    const auto target = sys::read_link(parent, name);
    return target.starts_with('/') ? target : where + target;
}

} // namespace

InRoot InRoot::at(int dir, const std::string& path)
{
    return InRoot{sys::open(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW)};
}

Fd InRoot::open(const std::string& path, int flags) const
{
    return sys::open_resolved(fd(), path, static_cast<std::uint64_t>(flags), in_root);
}

std::optional<Fd> InRoot::open_if_exists(const std::string& path, int flags) const
{
    return sys::open_resolved_if_exists(fd(), path, static_cast<std::uint64_t>(flags), in_root);
}

std::optional<std::string> InRoot::read_file(const std::string& path, std::size_t limit) const
{
    const auto place = open_if_exists(path, O_PATH);
    if (!place || !S_ISREG(sys::stat(place->get()).st_mode))
        return std::nullopt;
    // By the descriptor just checked: what is at the path now may be something else.
    const auto file = sys::open(AT_FDCWD, sys::proc_path(place->get()), O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return with_context(fmt::format("reading {}", text::quoted(path)),
                        [&] { return sys::read_to_end(file.get(), limit); });
}

Fd InRoot::make_dirs(const std::string& path) const
{
    int links = link_limit;
    return make_dirs(path, links);
}

Fd InRoot::make_file(const std::string& path) const
{
    int links = link_limit;
    return make_file(path, links);
}

Fd InRoot::make_dirs(const std::string& path, int& links) const
{
    if (auto existing = open_if_exists(path, O_PATH | O_DIRECTORY))
        return std::move(*existing);
    const auto names = text::split(path, '/');
    std::string walked = "/";
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (name->empty())
            continue;
        const auto next = walked + *name + '/';
        if (!open_if_exists(next, O_PATH | O_DIRECTORY)) {
            const auto parent = open(walked, O_PATH | O_DIRECTORY);
            if (const auto target = link_target(parent.get(), *name, walked, links))
                return make_dirs(fmt::format("{}/{}", *target, fmt::join(name + 1, names.end(), "/")), links);
            if (!sys::make_dir_if_missing(parent.get(), *name, 0755))
                fail(Error::Kind::corrupt, "{} is in the way of directory {}", text::quoted(walked + *name),
                     text::quoted(path));
        }
        walked = next;
    }
    return open(walked, O_PATH | O_DIRECTORY);
}

Fd InRoot::make_file(const std::string& path, int& links) const
{
    if (auto existing = open_if_exists(path, O_PATH))
        return std::move(*existing);
    const auto slash = path.rfind('/');
    const auto parent = path.substr(0, slash + 1), name = path.substr(slash + 1);
    const auto dir = make_dirs(parent, links);
    if (const auto target = link_target(dir.get(), name, parent, links))
        return make_file(*target, links);
    sys::open(dir.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644);
    return sys::open(dir.get(), name, O_PATH | O_NOFOLLOW);
}

std::string clean_absolute(const std::string& path)
{
    std::vector<std::string> kept;
    for (auto& name : text::split(path, '/')) {
        if (name.empty() || name == ".")
            continue;
        if (name != "..")
            kept.push_back(std::move(name));
        else if (!kept.empty())
            kept.pop_back();
    }
    return fmt::format("/{}", fmt::join(kept, "/"));
}

bool is_at_or_below(const std::string& path, const std::string& ancestor)
{
    if (ancestor == "/" || path == ancestor)
        return true;
    return path.size() > ancestor.size() && path.starts_with(ancestor) && path[ancestor.size()] == '/';
}

} // namespace rocket
