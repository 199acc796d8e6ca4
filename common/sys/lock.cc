// SPDX-License-Identifier: Apache-2.0
#include "common/sys/lock.hh"

#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket
{

namespace
{

int operation(Lock::Mode mode)
{
    return mode == Lock::Mode::shared ? LOCK_SH : LOCK_EX;
}

bool try_lock(int fd, Lock::Mode mode)
{
    while (::flock(fd, operation(mode) | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return false;
        if (errno != EINTR)
            throw system_error(errno, "taking a lock");
    }
    return true;
}

// Of /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF". Processes of other namespaces are not in it. The
// number of the device is not always the one that stat(2) tells.
std::vector<std::string> pids_of_holders(int fd)
{
    const auto inode = ":" + std::to_string(sys::stat(fd).st_ino);
    std::vector<std::string> pids;
    for (const auto& line : text::split(file::read(AT_FDCWD, "/proc/locks"), '\n')) {
        auto words = text::split(line, ' ');
        std::erase(words, "");
        if (words.size() > 5 && words[1] == "FLOCK" && words[5].ends_with(inode))
            pids.push_back(words[4]);
    }
    return pids;
}

// Members of a group may open some of the files that root locks, and one of them may never let go.
void refuse_foreign_holder(int fd)
{
    for (const auto& pid : pids_of_holders(fd)) {
        const auto process = sys::stat_if_exists(AT_FDCWD, "/proc/" + pid);
        if (process && process->st_uid == 0)
            continue;
        throw Error{Error::Kind::busy,
                    fmt::format("process {}{} holds a lock that root waits for", pid,
                                process ? fmt::format(" of user {}", process->st_uid) : ", which has ended,"),
                    "try again later, or end that process"};
    }
}

// Whoever waits for root's own work waits as long as it takes, in the kernel's queue; for another user's, for a while.
// A call that waits cannot be told to stop: a thread makes it. It has a descriptor of its own, and if the lock comes
// when nobody wants it any more, it goes with that.
void wait_as_root(int fd, Lock::Mode mode)
{
    constexpr std::chrono::seconds patience{10};
    std::packaged_task<int()> task{[fd = sys::duplicate(fd), mode] {
        while (::flock(fd.get(), operation(mode)) != 0)
            if (errno != EINTR)
                return errno;
        return 0;
    }};
    auto result = task.get_future();
    std::thread waiting{std::move(task)};
    try {
        while (result.wait_for(patience) != std::future_status::ready)
            refuse_foreign_holder(fd);
    } catch (...) {
        waiting.detach();
        throw;
    }
    waiting.join(); // some callers change namespaces next, which needs a process of one thread
    if (const int error = result.get(); error != 0)
        throw system_error(error, "waiting for a lock");
}

} // namespace

Lock Lock::take(Fd fd, Mode mode)
{
    if (try_lock(fd.get(), mode))
        return Lock{std::move(fd)};
    if (::geteuid() == 0)
        wait_as_root(fd.get(), mode);
    else
        sys::check([&] { return ::flock(fd.get(), operation(mode)); }, "waiting for a lock");
    return Lock{std::move(fd)};
}

std::optional<Lock> Lock::try_take(Fd fd, Mode mode)
{
    if (!try_lock(fd.get(), mode))
        return std::nullopt;
    return Lock{std::move(fd)};
}

bool is_locked_exclusively(int dir, const char* path)
{
    return !Lock::try_take(sys::open(dir, path, O_RDONLY | O_NONBLOCK), Lock::Mode::shared);
}

} // namespace rocket
