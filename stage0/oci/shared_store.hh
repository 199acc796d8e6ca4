// SPDX-License-Identifier: Apache-2.0
// The same store for several threads: what they tell the user comes one after the other.
#pragma once

#include <mutex>

#include "stage0/store/store.hh"

namespace rocket::oci
{

// How far the unpacking of a layer is.
using LayerTick =
    std::function<void(const store::ContentDigest& layer, std::uint64_t done, std::optional<std::uint64_t> total)>;

class SharedStore
{
public:
    // `tick` may be null: then the store's own is told, one layer after the other.
    SharedStore(const store::Store& store, LayerTick tick)
        : options_{wrapped(store.options())}, tick_{std::move(tick)}, store_{store.layout(), options_}
    {
    }
    SharedStore(const SharedStore&) = delete; // its parts point to each other
    SharedStore& operator=(const SharedStore&) = delete;
    store::Store& get() noexcept { return store_; }
    // The same, to work on that layer.
    store::Store of(const store::ContentDigest& layer)
    {
        auto options = options_;
        options.tick = tick_of(layer);
        return store::Store{store_.layout(), std::move(options)};
    }
    store::Tick tick_of(const store::ContentDigest& layer)
    {
        if (!tick_)
            return options_.tick;
        return [this, layer](std::uint64_t done, std::uint64_t total) {
            const std::lock_guard lock{mutex_};
            tick_(layer, done, total);
        };
    }

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
    store::Options options_;
    LayerTick tick_;
    store::Store store_;
};

} // namespace rocket::oci
