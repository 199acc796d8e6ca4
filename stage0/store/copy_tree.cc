// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/copy_tree.hh"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <map>
#include <memory>
#include <vector>

#include "common/sys/sys.hh"
#include "stage0/store/set_ids.hh"

namespace rocket::store
{

namespace
{

constexpr int directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

// The attributes of whatever a descriptor, O_PATH too, refers to: by way of /proc, since the f*xattr calls refuse
// O_PATH and the l*xattr calls want a path.
std::vector<std::string> attribute_names(const std::string& path)
{
    std::string buffer(XATTR_LIST_MAX, '\0');
    const auto size = ::listxattr(path.c_str(), buffer.data(), buffer.size());
    if (size < 0 && errno != ENOTSUP)
        throw system_error(errno, "listing extended attributes");
    std::vector<std::string> names;
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size); at += names.back().size() + 1)
        names.emplace_back(buffer.c_str() + at);
    return names;
}

void copy_attributes(int from, int to)
{
    const auto source = sys::proc_path(from);
    const auto target = sys::proc_path(to);
    for (const auto& name : attribute_names(source)) {
        if (name.starts_with("trusted.overlay."))
            continue;
        std::string value(XATTR_SIZE_MAX, '\0');
        const auto size =
            sys::check([&] { return ::getxattr(source.c_str(), name.c_str(), value.data(), value.size()); },
                       "reading the attribute {}", text::quoted(name));
        sys::check(
            [&] { return ::setxattr(target.c_str(), name.c_str(), value.data(), static_cast<std::size_t>(size), 0); },
            "setting the attribute {}", text::quoted(name));
    }
}

// To be done first: a change of owner clears set-id bits and file capabilities.
void copy_owner_and_mode(const struct stat& info, int to)
{
    sys::check([&] { return ::fchown(to, info.st_uid, info.st_gid); }, "setting the owner of a copy");
    bool left_out = false; // who copies knows that: may_make_set_ids()
    sys::check(
        [&] { return change_mode([&](mode_t mode) { return ::fchmod(to, mode); }, info.st_mode & 07777U, left_out); },
        "setting the mode of a copy");
}

void copy_times(const struct stat& info, int to)
{
    const timespec times[2] = {info.st_atim, info.st_mtim};
    sys::check([&] { return ::futimens(to, times); }, "setting the times of a copy");
}

// One stretch of data; copy_file_range shares blocks where it can, and is not offered between some file systems.
void copy_range(int from, int to, off_t begin, off_t end)
{
    off_t in = begin, out = begin;
    while (in < end) {
        const auto copied = ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - in), 0);
        if (copied > 0)
            continue;
        if (copied == 0)
            return; // shorter than it was
        if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
            throw system_error(errno, "copying a file");
        std::vector<char> buffer(1U << 20U);
        const auto size = std::min(buffer.size(), static_cast<std::size_t>(end - in));
        const auto got = sys::check([&] { return ::pread(from, buffer.data(), size, in); }, "copying a file");
        if (got == 0)
            return;
        sys::check([&] { return ::lseek(to, out, SEEK_SET); }, "copying a file");
        sys::write_all(to, {buffer.data(), static_cast<std::size_t>(got)});
        in += got;
        out += got;
    }
}

void copy_data(int from, int to, off_t size)
{
    if (size == 0 || ::ioctl(to, FICLONE, from) == 0)
        return;
    for (off_t at = 0; at < size;) {
        const auto begin = ::lseek(from, at, SEEK_DATA);
        if (begin < 0 && errno == ENXIO)
            break; // only a hole is left
        if (begin < 0)
            throw system_error(errno, "copying a file");
        at = sys::check([&] { return ::lseek(from, begin, SEEK_HOLE); }, "copying a file");
        copy_range(from, to, begin, at);
    }
    sys::check([&] { return ::ftruncate(to, size); }, "copying a file");
}

// Links and devices are never opened for real.
void copy_special_metadata(int from, const std::string& name, int to, const std::string& new_name,
                           const struct stat& info)
{
    constexpr int place = O_PATH | O_NOFOLLOW;
    sys::check([&] { return ::fchownat(to, new_name.c_str(), info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW); },
               "setting the owner of a copy");
    if (!S_ISLNK(info.st_mode))
        sys::check([&] { return ::fchmodat(to, new_name.c_str(), info.st_mode & 07777U, 0); },
                   "setting the mode of a copy");
    copy_attributes(sys::open(from, name, place).get(), sys::open(to, new_name, place).get());
    const timespec times[2] = {info.st_atim, info.st_mtim};
    sys::check([&] { return ::utimensat(to, new_name.c_str(), times, AT_SYMLINK_NOFOLLOW); },
               "setting the times of a copy");
}

class Copier
{
public:
    Copier(int target_root, const std::function<void()>& tick, Devices devices)
        : target_root_{target_root}, tick_{tick}, devices_{devices}
    {
    }

    struct Level {
        std::shared_ptr<MergedDir> from;
        Fd to;
        std::string path; // relative to the target, for hard links and messages
        std::vector<std::string> names;
    };

    // A stack instead of recursion: how deep a tree is, is the image's choice.
    void walk(const std::shared_ptr<MergedDir>& from, Fd to)
    {
        std::vector<Level> stack;
        stack.push_back({from, std::move(to), "", names_in(*from)});
        while (!stack.empty()) {
            auto& level = stack.back();
            if (level.names.empty()) {
                // Last: filling it has changed its times.
                copy_metadata(level.from->parts.front().dir.get(), level.to.get());
                stack.pop_back();
                continue;
            }
            const auto name = std::move(level.names.back());
            level.names.pop_back();
            if (auto below = copy_entry(level, name))
                stack.push_back(std::move(*below));
            if (++count_ % 512 == 0)
                tick_();
        }
    }

private:
    std::optional<Level> copy_entry(const Level& level, const std::string& name)
    {
        const auto path = level.path.empty() ? name : level.path + "/" + name;
        return with_context(fmt::format("copying {}", text::quoted(path)), [&]() -> std::optional<Level> {
            const auto entry = find_in(*level.from, name);
            if (!entry)
                fail(Error::Kind::system, "it has vanished");
            if (entry->directory)
                return enter(level, name, path, entry->directory);
            if (devices_ == Devices::refused && (S_ISCHR(entry->info.st_mode) || S_ISBLK(entry->info.st_mode)))
                fail(Error::Kind::usage, "it is a device");
            if (entry->info.st_nlink > 1) {
                const auto [known, is_new] = links_.emplace(std::pair{entry->info.st_dev, entry->info.st_ino}, path);
                if (!is_new) {
                    link(known->second, level, name);
                    return std::nullopt;
                }
            }
            copy_file(entry->parent, name, level.to.get(), name);
            return std::nullopt;
        });
    }

    static Level enter(const Level& level, const std::string& name, const std::string& path,
                       const std::shared_ptr<MergedDir>& from)
    {
        sys::make_dir(level.to.get(), name, 0700);
        return {from, sys::open(level.to.get(), name, directory), path, names_in(*from)};
    }

    void link(const std::string& first, const Level& level, const std::string& name) const
    {
        sys::check([&] { return ::linkat(target_root_, first.c_str(), level.to.get(), name.c_str(), 0); },
                   "making a hard link");
    }

    int target_root_;
    const std::function<void()>& tick_;
    Devices devices_;
    std::map<std::pair<dev_t, ino_t>, std::string> links_; // files with several names -> the first copied one
    std::size_t count_ = 0;
};

} // namespace

void copy_metadata(int from, int to)
{
    const auto info = sys::stat(from);
    copy_owner_and_mode(info, to);
    copy_attributes(from, to);
    copy_times(info, to);
}

void copy_file(int from, const std::string& name, int to, const std::string& new_name)
{
    const auto info = sys::stat_at(from, name);
    if (S_ISREG(info.st_mode)) {
        const auto source = sys::open(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        const auto copy = sys::open(to, new_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        copy_data(source.get(), copy.get(), info.st_size);
        return copy_metadata(source.get(), copy.get());
    }
    if (S_ISLNK(info.st_mode))
        sys::make_symlink(sys::read_link(from, name), to, new_name);
    else
        sys::check([&] { return ::mknodat(to, new_name.c_str(), info.st_mode, info.st_rdev); },
                   "making a special file");
    copy_special_metadata(from, name, to, new_name, info);
}

void link_or_copy(int from, const std::string& name, int to, const std::string& new_name)
{
    if (::linkat(from, name.c_str(), to, new_name.c_str(), 0) == 0)
        return;
    if (errno != EMLINK) // as many as the file system can
        throw system_error(errno, fmt::format("linking {}", text::quoted(new_name)));
    copy_file(from, name, to, new_name);
}

void copy_tree(const std::shared_ptr<MergedDir>& from, int dir, const std::string& name,
               const std::function<void()>& tick, Devices devices)
{
    sys::make_dir(dir, name, 0700);
    auto to = sys::open(dir, name, directory);
    const int root = to.get();
    Copier{root, tick, devices}.walk(from, std::move(to));
}

} // namespace rocket::store
