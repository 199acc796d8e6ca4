// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/named_lock.hh"

#include "common/sys/sys.hh"

namespace rocket::store
{

namespace
{

Fd open_lock_file(const std::string& path)
{
    auto file = sys::open(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0660);
    const auto info = sys::stat(file.get());
    if (S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid == ::geteuid()) // not what somebody put there
        ::fchmod(file.get(), 0660);                                                // whatever the umask
    return file;
}

// The file that was locked may have been removed, or replaced, by its holder before the lock came to us.
bool is_current(const std::string& path, int fd)
{
    const auto there = sys::stat_if_exists(AT_FDCWD, path);
    const auto here = sys::stat(fd);
    return there && there->st_ino == here.st_ino && there->st_dev == here.st_dev;
}

} // namespace

std::optional<NamedLock> NamedLock::try_take(const std::string& path)
{
    for (;;) {
        auto lock = Lock::try_take(open_lock_file(path), Lock::Mode::exclusive);
        if (!lock)
            return std::nullopt;
        if (is_current(path, lock->fd()))
            return NamedLock{path, std::move(*lock)};
    }
}

NamedLock NamedLock::take(const std::string& path, const std::function<void()>& on_wait)
{
    if (auto free = try_take(path))
        return std::move(*free);
    if (on_wait)
        on_wait();
    for (;;) {
        auto lock = Lock::take(open_lock_file(path), Lock::Mode::exclusive);
        if (!is_current(path, lock.fd()))
            continue;
        NamedLock held{path, std::move(lock)};
        held.had_to_wait_ = true;
        return held;
    }
}

NamedLock::~NamedLock()
{
    if (!path_.empty())
        ::unlink(path_.c_str()); // still locked; whoever waits finds out by is_current()
}

} // namespace rocket::store
