// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/overlay_support.hh"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <memory>
#include <string_view>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"

namespace rocket::pod
{

namespace
{

struct Filesystem {
    long magic;
    const char* name;
};

// Those that cannot be an upper layer; not all are in linux/magic.h.
constexpr Filesystem unusable[] = {
    {0x61756673, "aufs"}, {0x2fc12fc1, "zfs"}, {OVERLAYFS_SUPER_MAGIC, "overlayfs"}, {NFS_SUPER_MAGIC, "nfs"}};

// It may be a module that nobody has needed yet: asking for the file system makes the kernel load it.
bool kernel_has_overlay()
{
    try {
        const mount::NewFilesystem asked_for{"overlay"};
        return true;
    } catch (const Error&) {
        return false;
    }
}

// overlayfs needs the type of an entry from readdir(3); xfs without ftype, for one, does not have it.
bool has_entry_types(const std::string& directory)
{
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::opendir(directory.c_str()), ::closedir};
    if (!stream)
        throw system_error(errno, fmt::format("reading {}", text::quoted(directory)));
    while (const auto* entry = ::readdir(stream.get()))
        if (entry->d_type == DT_UNKNOWN)
            return false;
    return true;
}

} // namespace

std::optional<std::string> overlay_problem(const std::string& pods_directory)
{
    if (!kernel_has_overlay())
        return "overlay entry not present in /proc/filesystems";
    struct statfs info {
    };
    sys::check([&] { return ::statfs(pods_directory.c_str(), &info); }, "asking for the file system of {}",
               text::quoted(pods_directory));
    for (const auto& [magic, name] : unusable)
        if (static_cast<long>(info.f_type) == magic)
            return fmt::format("unsupported filesystem: {}", name);
    if (!has_entry_types(pods_directory))
        return "unsupported filesystem: missing d_type support";
    return std::nullopt;
}

} // namespace rocket::pod
