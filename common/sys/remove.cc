// SPDX-License-Identifier: Apache-2.0
#include "common/sys/remove.hh"

#include <dirent.h>
#include <libmount/libmount.h>
#include <linux/openat2.h>
#include <sys/mount.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "common/sys/path.hh"
#include "common/sys/sys.hh"

namespace rocket
{

namespace
{

using Dir = std::unique_ptr<DIR, int (*)(DIR*)>;

Dir open_stream(Fd fd)
{
    Dir stream{::fdopendir(fd.get()), ::closedir};
    if (!stream)
        throw system_error(errno, "reading a directory");
    [[maybe_unused]] const int owned = fd.release();
    return stream;
}

std::vector<std::string> names_in(int dir)
{
    std::vector<std::string> names;
    const auto stream = open_stream(sys::open(dir, ".", O_RDONLY | O_DIRECTORY));
    errno = 0;
    while (const auto* entry = ::readdir(stream.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..")
            names.push_back(name);
        errno = 0;
    }
    if (errno != 0)
        throw system_error(errno, "reading a directory");
    return names;
}

Fd open_subdirectory(int dir, const std::string& name)
{
    constexpr std::uint64_t resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH;
    const auto open = [&] { return sys::open_resolved(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve); };
    try {
        return open();
    } catch (const Error& error) {
        if (error.error_number() == EXDEV)
            fail(Error::Kind::busy, "{} is a mount point", text::quoted(name));
        if (error.error_number() != EACCES)
            throw;
    }
    sys::check([&] { return ::fchmodat(dir, name.c_str(), 0700, 0); }, "removing {}", text::quoted(name));
    return open();
}

// One level of the walk; a stack of these instead of recursion, since the depth was somebody else's choice.
struct Level {
    Fd dir;
    std::string name; // in the parent level
    std::vector<std::string> names;
};

// Each level costs a descriptor: what lies deeper than this is moved up to the top before it is walked.
constexpr std::size_t deepest_level = 64;

// True if it was removed, false if it is a directory that has to be emptied first.
bool remove_plain(int dir, const std::string& name)
{
    if (::unlinkat(dir, name.c_str(), 0) == 0 || errno == ENOENT)
        return true;
    if (errno == EISDIR || errno == EPERM) // EPERM is POSIX's word for "a directory"
        if (::unlinkat(dir, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT)
            return true;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return false;
    if (errno == EBUSY)
        fail(Error::Kind::busy, "{} is a mount point", text::quoted(name));
    if (errno == EACCES || errno == EPERM)
        if (const auto info = sys::stat_if_exists(dir, name); info && S_ISDIR(info->st_mode))
            return false;
    throw system_error(errno, fmt::format("removing {}", text::quoted(name)));
}

// Empties and removes one directory, iteratively.
void remove_directory(int parent, const std::string& top)
{
    std::vector<Level> stack;
    const auto enter = [&](int from, const std::string& child) {
        Level level{open_subdirectory(from, child), child, {}};
        level.names = names_in(level.dir.get());
        stack.push_back(std::move(level));
    };
    enter(parent, top);
    while (!stack.empty()) {
        auto& level = stack.back();
        if (level.names.empty()) {
            const auto finished = std::move(level.name);
            stack.pop_back();
            sys::unlink_if_exists(stack.empty() ? parent : stack.back().dir.get(), finished, AT_REMOVEDIR);
            continue;
        }
        const auto next = std::move(level.names.back());
        level.names.pop_back();
        if (remove_plain(level.dir.get(), next))
            continue;
        if (stack.size() < deepest_level) {
            enter(level.dir.get(), next);
            continue;
        }
        const auto moved = ".removing-" + sys::random_name();
        sys::rename(level.dir.get(), next, stack.front().dir.get(), moved);
        stack.front().names.push_back(moved);
    }
}

} // namespace

void remove_tree(int dir, const std::string& name)
{
    // The walk stays strictly below one directory: a path gets there by its (trusted) parent.
    if (const auto slash = name.rfind('/'); slash != name.npos) {
        const auto parent = sys::open_if_exists(dir, name.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
        return parent ? remove_tree(parent->get(), name.substr(slash + 1)) : void();
    }
    if (!remove_plain(dir, name))
        with_context(fmt::format("removing {}", text::quoted(name)), [&] { remove_directory(dir, name); });
}

void remove_content(int dir)
{
    for (const auto& name : names_in(dir))
        remove_tree(dir, name);
}

void unmount_below(const std::string& path)
{
    const std::unique_ptr<libmnt_table, void (*)(libmnt_table*)> table{
        ::mnt_new_table_from_file("/proc/self/mountinfo"), ::mnt_unref_table};
    const std::unique_ptr<libmnt_iter, void (*)(libmnt_iter*)> walk{::mnt_new_iter(MNT_ITER_BACKWARD), ::mnt_free_iter};
    if (!table || !walk)
        throw system_error(errno != 0 ? errno : ENOMEM, "reading the mount table");
    libmnt_fs* mounted = nullptr;
    while (::mnt_table_next_fs(table.get(), walk.get(), &mounted) == 0) {
        const std::string target = ::mnt_fs_get_target(mounted);
        if (!is_at_or_below(target, path))
            continue;
        if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) != 0 && errno == EBUSY)
            ::umount2(target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
    }
}

} // namespace rocket
