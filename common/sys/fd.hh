// SPDX-License-Identifier: Apache-2.0
// Fd owns one file descriptor. Every descriptor in Rocket is close-on-exec from birth; what a child is meant
// to have is handed over by name (see process.hh).
#pragma once

#include <unistd.h>

#include <utility>

namespace rocket
{

class Fd
{
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_{fd} {}
    Fd(Fd&& other) noexcept : fd_{other.release()} {}
    Fd& operator=(Fd&& other) noexcept
    {
        if (this != &other)
            reset(other.release());
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept
    {
        if (fd_ >= 0)
            ::close(fd_); // never retried: after EINTR the descriptor is gone on Linux
        fd_ = fd;
    }

private:
    int fd_ = -1;
};

} // namespace rocket
