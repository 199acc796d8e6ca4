// SPDX-License-Identifier: Apache-2.0
#include "common/sys/lock.hh"

#include <sys/file.h>

#include "common/sys/sys.hh"

namespace rocket
{

namespace
{

int operation(Lock::Mode mode)
{
    return mode == Lock::Mode::shared ? LOCK_SH : LOCK_EX;
}

} // namespace

Lock Lock::take(Fd fd, Mode mode)
{
    sys::check([&] { return ::flock(fd.get(), operation(mode)); }, "waiting for a lock");
    return Lock{std::move(fd)};
}

std::optional<Lock> Lock::try_take(Fd fd, Mode mode)
{
    while (::flock(fd.get(), operation(mode) | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return std::nullopt;
        if (errno != EINTR)
            throw system_error(errno, "taking a lock");
    }
    return Lock{std::move(fd)};
}

bool is_locked_exclusively(int dir, const char* path)
{
    return !Lock::try_take(sys::open(dir, path, O_RDONLY | O_NONBLOCK), Lock::Mode::shared);
}

} // namespace rocket
