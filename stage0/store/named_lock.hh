// SPDX-License-Identifier: Apache-2.0
// A lock with a name of its own in DATA/locks: the file is made to be locked and removed by its last holder, so that
// names of images long gone do not pile up.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/sys/lock.hh"

namespace rocket::store
{

class NamedLock
{
public:
    // Waits until it is free; `on_wait` is called once, if there is something to wait for.
    static NamedLock take(const std::string& path, const std::function<void()>& on_wait = {});
    static std::optional<NamedLock> try_take(const std::string& path);

    NamedLock(NamedLock&& other) noexcept
        : path_{std::exchange(other.path_, {})}, lock_{std::move(other.lock_)}, had_to_wait_{other.had_to_wait_}
    {
    }
    NamedLock& operator=(NamedLock&&) = delete;
    ~NamedLock();

    bool had_to_wait() const noexcept { return had_to_wait_; }

private:
    NamedLock(std::string path, Lock lock) : path_{std::move(path)}, lock_{std::move(lock)} {}

    std::string path_; // empty: moved from
    Lock lock_;
    bool had_to_wait_ = false;
};

} // namespace rocket::store
