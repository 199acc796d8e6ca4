// SPDX-License-Identifier: Apache-2.0
#include "common/sys/mount.hh"

#include <unistd.h>

#include <array>

#include "common/sys/sys.hh"

namespace rocket::mount
{

namespace
{

// The kernel explains a refused option in the context's log: "e overlay: No changes allowed in reconfigure".
std::string kernel_message(int context)
{
    std::array<char, 1024> line{};
    std::string all;
    for (;;) {
        const auto size = ::read(context, line.data(), line.size());
        if (size <= 0)
            return all;
        all += fmt::format("{}{}", all.empty() ? "" : "; ",
                           text::trim(text::printable(std::string_view{line.data(), static_cast<std::size_t>(size)})));
    }
}

} // namespace

NewFilesystem::NewFilesystem(const std::string& type)
    : type_{type}, context_{sys::check([&] { return ::fsopen(type.c_str(), FSOPEN_CLOEXEC); }, "file system type {}",
                                       text::quoted(type))}
{
}

void NewFilesystem::fail_with(int error_number, const std::string& doing) const
{
    auto error = system_error(error_number, fmt::format("{} for {}", doing, type_));
    if (const auto message = kernel_message(context_.get()); !message.empty())
        error.set_hint("the kernel says: " + message);
    throw error;
}

NewFilesystem& NewFilesystem::set(const std::string& key, const std::string& value)
{
    if (::fsconfig(context_.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) != 0)
        fail_with(errno, fmt::format("setting {}={}", key, text::quoted(value)));
    return *this;
}

NewFilesystem& NewFilesystem::set_fd(const std::string& key, int fd)
{
    if (!try_set_fd(key, fd))
        fail_with(EINVAL, "setting " + key);
    return *this;
}

bool NewFilesystem::try_set_fd(const std::string& key, int fd)
{
    return ::fsconfig(context_.get(), FSCONFIG_SET_FD, key.c_str(), nullptr, fd) == 0;
}

NewFilesystem& NewFilesystem::flag(const std::string& key)
{
    if (::fsconfig(context_.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0) != 0)
        fail_with(errno, "setting " + key);
    return *this;
}

Fd NewFilesystem::create(std::uint64_t attributes)
{
    if (::fsconfig(context_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        fail_with(errno, "creating the file system");
    Fd made{::fsmount(context_.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes))};
    if (!made)
        fail_with(errno, "mounting the file system");
    return made;
}

Fd clone(int source, bool recursive)
{
    const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
    return Fd{sys::check([&] { return ::open_tree(source, "", flags); }, "cloning a mount")};
}

void set_attributes(int tree, std::uint64_t set, std::uint64_t clear, bool recursive)
{
    mount_attr attributes{};
    attributes.attr_set = set;
    attributes.attr_clr = clear;
    const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
    sys::check([&] { return ::mount_setattr(tree, "", flags, &attributes, sizeof attributes); },
               "setting mount attributes");
}

void set_id_mapping(int tree, int users, bool recursive, int source)
{
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<std::uint64_t>(users);
    const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
    if (::mount_setattr(tree, "", flags, &attributes, sizeof attributes) == 0)
        return;
    if (errno != EINVAL && errno != EPERM)
        throw system_error(errno, "mapping the owners of files");
    throw Error{Error::Kind::unsupported,
                fmt::format("the file system, {}{}, cannot show its files with the owners of a user namespace",
                            type_at(source), recursive ? " or one mounted below it" : ""),
                "ID-mapped mounts need ext4, xfs, btrfs, or tmpfs on Linux 6.3; or do without --private-users"};
}

std::string type_at(int place)
{
    struct statx info {
    };
    if (::statx(place, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) != 0 || (info.stx_mask & STATX_MNT_ID) == 0)
        return "unknown";
    constexpr std::size_t limit = 16U << 20U;
    const auto id = fmt::format("{} ", info.stx_mnt_id);
    const auto table = sys::open(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY);
    for (const auto& line : text::split(sys::read_to_end(table.get(), limit), '\n')) {
        constexpr std::string_view separator = " - "; // before the type; a blank in a path is written as \040
        const auto at = line.find(separator);
        if (line.starts_with(id) && at != std::string::npos)
            return text::split(line.substr(at + separator.size()), ' ').front();
    }
    return "unknown";
}

void set_propagation(int tree, std::uint64_t propagation, bool recursive)
{
    mount_attr attributes{};
    attributes.propagation = propagation;
    const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
    sys::check([&] { return ::mount_setattr(tree, "", flags, &attributes, sizeof attributes); },
               "setting mount propagation");
}

void attach(int tree, int target)
{
    sys::check([&] { return ::move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH); },
               "attaching a mount");
}

void detach(const std::string& path)
{
    sys::check([&] { return ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW); }, "unmounting {}",
               text::quoted(path));
}

} // namespace rocket::mount
