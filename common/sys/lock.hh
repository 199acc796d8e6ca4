// SPDX-License-Identifier: Apache-2.0
// Advisory locks: flock(2) on a directory's (or lock file's) descriptor. They belong to the open file description,
// so they survive execve, end with the last holder however it dies, and work on directories (unlike OFD locks,
// which need a writable descriptor). Order when several are held: store < image < tree < pod (R14).
#pragma once

#include <optional>

#include "common/sys/fd.hh"

namespace rocket
{

class Lock
{
public:
    enum class Mode { shared, exclusive };

    // Waits until it is free.
    static Lock take(Fd fd, Mode mode);
    // nullopt if somebody else holds it. The descriptor is given up in that case.
    static std::optional<Lock> try_take(Fd fd, Mode mode);

    int fd() const noexcept { return fd_.get(); }
    // Gives the descriptor, and with it the lock, to whoever keeps it open (the supervisor, through execve).
    [[nodiscard]] Fd hand_over() && { return std::move(fd_); }

private:
    explicit Lock(Fd fd) : fd_{std::move(fd)} {}
    Fd fd_;
};

// Whether anybody holds it exclusively. Never disturbs the holder, but can make a concurrent try_take fail.
bool is_locked_exclusively(int dir, const char* path);

} // namespace rocket
