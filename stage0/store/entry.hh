// SPDX-License-Identifier: Apache-2.0
// One line of the list of images: what look-ups work on, and what the index keeps.
#pragma once

#include <cstdint>

#include "common/model/labels.hh"
#include "common/model/names.hh"

namespace rocket::store
{

struct Entry {
    model::ImageId id;
    model::AcIdentifier name;
    model::Labels labels = {};
    std::uint64_t size = 0; // the uncompressed image and its rendered tree
    std::int64_t imported_ns = 0;
    bool verified = false;   // let in by its signature
    bool is_believed = true; // false: somebody else wrote all of the above, and not even `verified` is set (writer.hh)
    bool operator==(const Entry&) const = default;
};

} // namespace rocket::store
