// SPDX-License-Identifier: Apache-2.0
// The same store for several threads: what they tell the user comes one after the other.
#pragma once

#include <mutex>

#include "stage0/store/store.hh"

namespace rocket::oci
{

class SharedStore
{
public:
    explicit SharedStore(const store::Store& store) : store_{store.layout(), wrapped(store.options())} {}
    SharedStore(const SharedStore&) = delete; // its parts point to each other
    SharedStore& operator=(const SharedStore&) = delete;
    store::Store& get() noexcept { return store_; }

private:
    store::Options wrapped(store::Options options)
    {
        if (options.tick)
            options.tick = [this, tick = options.tick](std::uint64_t done, std::uint64_t total) {
                const std::lock_guard lock{mutex_};
                tick(done, total);
            };
        if (options.on_wait)
            options.on_wait = [this, say = options.on_wait](const std::string& line) {
                const std::lock_guard lock{mutex_};
                say(line);
            };
        return options;
    }

    std::mutex mutex_;
    store::Store store_;
};

} // namespace rocket::oci
