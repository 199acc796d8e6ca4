// SPDX-License-Identifier: Apache-2.0
// Garbage collection of images: what nobody has used for a while goes, and the least recently used ones when the store
// is too large. Images that a pod uses, that are to be kept by name, or that another image which stays depends on,
// stay.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "common/model/image_name.hh"
#include "stage0/store/store.hh"

namespace rocket::store
{

struct CollectOptions {
    std::chrono::nanoseconds grace_period = std::chrono::hours{24}; // since the last use
    std::optional<std::uint64_t> largest_store = {};                // bytes of all images, as `image list` shows them
    std::vector<model::ImageName> kept = {};
    std::set<model::ImageId> kept_ids = {};
};

struct CollectReport {
    std::function<void(const model::ImageId&, bool had_tree)> removed;
    std::function<void(const model::ImageId&, const Error&)> problem;
};

void collect_images(Store& store, const CollectOptions& options, const CollectReport& report);

} // namespace rocket::store
