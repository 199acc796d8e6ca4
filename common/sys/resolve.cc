// SPDX-License-Identifier: Apache-2.0
#include "common/sys/resolve.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>
#include <vector>

#include "common/sys/fd.hh"
#include "common/sys/text.hh"

namespace rocket::sys
{

namespace
{

constexpr int most_links = 40; // as the kernel's
constexpr std::uint64_t known =
    RESOLVE_IN_ROOT | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

// An errno value on its way out of the walk.
struct Refused {
    int error_number;
};

[[noreturn]] void refuse(int error_number)
{
    throw Refused{error_number};
}

class Walk
{
public:
    Walk(int dir, std::uint64_t flags, std::uint64_t resolve, mode_t mode)
        : flags_{static_cast<int>(flags) | O_CLOEXEC}, resolve_{resolve}, mode_{mode}
    {
        walked_.push_back(opened(::openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)));
        if (has(RESOLVE_NO_XDEV))
            mount_ = mount_of(walked_.back());
    }

    int go(const std::string& path)
    {
        expand(path);
        while (!left_.empty()) {
            const auto name = std::move(left_.front());
            left_.pop_front();
            if (name == "..")
                go_up();
            else if (!left_.empty())
                into(name);
            else if (!is_link_to_follow(name))
                return open(name);
        }
        return open("."); // of a path that ends above: "a/.."
    }

private:
    bool has(std::uint64_t flag) const { return (resolve_ & flag) != 0; }
    const Fd& here() const { return walked_.back(); }

    static Fd opened(int fd)
    {
        if (fd < 0)
            refuse(errno);
        return Fd{fd};
    }

    static struct stat stat_of(const Fd& file)
    {
        struct stat found {
        };
        if (::fstatat(file.get(), "", &found, AT_EMPTY_PATH) != 0)
            refuse(errno);
        return found;
    }

    // Where all links are plain ones, such as "self". The inode number is part of the kernel's interface.
    static bool is_procfs_root(const struct stat& directory) { return directory.st_ino == 1; }

    static std::uint64_t mount_of(const Fd& file)
    {
        struct statx found {
        };
        if (::statx(file.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &found) != 0)
            refuse(errno);
        return found.stx_mnt_id;
    }

    void check_mount(const Fd& file) const
    {
        if (has(RESOLVE_NO_XDEV) && mount_of(file) != mount_)
            refuse(EXDEV);
    }

    // The names of `path` come before what is left.
    void expand(const std::string& path)
    {
        if (path.empty())
            refuse(ENOENT);
        if (path.front() == '/')
            start_over();
        const auto names = text::split(path, '/');
        left_.insert(left_.begin(), names.begin(), names.end());
    }

    void start_over()
    {
        if (has(RESOLVE_BENEATH))
            refuse(EXDEV);
        if (has(RESOLVE_IN_ROOT)) {
            walked_.resize(1);
            return;
        }
        Fd root = opened(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (links_ == 0) // the caller's own words: it is links that may not lead to another mount
            mount_ = mount_of(root);
        check_mount(root);
        walked_.clear();
        walked_.push_back(std::move(root));
    }

    void go_up()
    {
        if (walked_.size() > 1) {
            walked_.pop_back();
        } else if (has(RESOLVE_BENEATH)) {
            refuse(EXDEV);
        } else if (!has(RESOLVE_IN_ROOT)) {
            walked_.back() = opened(::openat(here().get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
            check_mount(here());
        }
    }

    void into(const std::string& name)
    {
        if (name.empty() || name == ".")
            return;
        auto next = opened(::openat(here().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        const auto type = stat_of(next).st_mode;
        if (S_ISLNK(type))
            return follow(next);
        if (!S_ISDIR(type))
            refuse(ENOTDIR);
        check_mount(next);
        walked_.push_back(std::move(next));
    }

    void follow(const Fd& link)
    {
        check_mount(link);
        if (has(RESOLVE_NO_SYMLINKS) || ++links_ > most_links)
            refuse(ELOOP);
        struct statfs where {
        };
        if (::fstatfs(link.get(), &where) != 0)
            refuse(errno);
        if (where.f_type == PROC_SUPER_MAGIC && !is_procfs_root(stat_of(here()))) // may not lead where it says
            refuse(has(RESOLVE_NO_MAGICLINKS) ? ELOOP : EXDEV);
        std::string target(PATH_MAX, '\0');
        const auto length = ::readlinkat(link.get(), "", target.data(), target.size());
        if (length < 0)
            refuse(errno);
        target.resize(static_cast<std::size_t>(length));
        expand(target);
    }

    // Of the last name; it is followed if so.
    bool is_link_to_follow(const std::string& name)
    {
        if (name.empty() || name == "." || (flags_ & O_NOFOLLOW) != 0 ||
            (flags_ & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
            return false;
        const Fd found{::openat(here().get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
        if (!found || !S_ISLNK(stat_of(found).st_mode))
            return false;
        follow(found);
        return true;
    }

    // As nothing but itself: what has become a link meanwhile is an error.
    int open(const std::string& name)
    {
        auto file = opened(::openat(here().get(), name.empty() ? "." : name.c_str(), flags_ | O_NOFOLLOW, mode_));
        check_mount(file);
        return file.release();
    }

    int flags_;
    std::uint64_t resolve_;
    mode_t mode_;
    std::uint64_t mount_ = 0;
    int links_ = 0;
    std::vector<Fd> walked_; // the first: where the walk began, or "/"
    std::deque<std::string> left_;
};

} // namespace

int resolve_by_hand(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve, mode_t mode)
{
    if ((resolve & ~known) != 0) {
        errno = EINVAL;
        return -1;
    }
    try {
        return Walk{dir, flags, resolve, mode}.go(path);
    } catch (const Refused& refused) {
        errno = refused.error_number;
        return -1;
    }
}

} // namespace rocket::sys
