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

// Splits off the last component: "/a/b" -> {"/a", "b"}, "b" -> {".", "b"}.
std::pair<std::string, std::string> split_last(const std::string& cleaned)
{
    const auto slash = cleaned.rfind('/');
    return {slash == 0 ? "/" : cleaned.substr(0, slash), cleaned.substr(slash + 1)};
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
    if (auto existing = open_if_exists(path, O_PATH | O_DIRECTORY))
        return std::move(*existing);
    const auto cleaned = clean_absolute(path);
    Fd here = sys::open(fd(), ".", O_PATH | O_DIRECTORY);
    std::string walked;
    for (const auto& name : text::split(cleaned.substr(1), '/')) {
        walked += '/' + name;
        auto next = open_if_exists(walked, O_PATH | O_DIRECTORY);
        if (!next) {
            // A dangling link is in the way: what it points to cannot be made by name, so say what is wrong.
            if (!sys::make_dir_if_missing(here.get(), name, 0755))
                fail(Error::Kind::corrupt, "{} is in the way of directory {}", text::quoted(walked),
                     text::quoted(path));
            next = sys::open(here.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        }
        here = std::move(*next);
    }
    return here;
}

Fd InRoot::make_file(const std::string& path) const
{
    if (auto existing = open_if_exists(path, O_PATH))
        return std::move(*existing);
    const auto [parent, name] = split_last(clean_absolute(path));
    const auto dir = make_dirs(parent);
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
