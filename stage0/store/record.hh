// SPDX-License-Identifier: Apache-2.0
// record.json of an image in the store: where it came from and on what grounds it was let in (R11). It can be read
// without the image. Errors: Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/names.hh"
#include "stage0/store/content_digest.hh"

namespace rocket::store
{

struct Record {
    model::ImageId id;                           // full
    std::string requested = {};                  // what the user asked for
    std::string source = {};                     // where the bytes came from: a URL, file:// included
    std::string source_stamp = {};               // of a local file: tells whether it is still the same one
    std::uint64_t archive_bytes = 0;             // as received
    std::uint64_t image_bytes = 0;               // uncompressed
    std::uint64_t tree_bytes = 0;                // of the files in the rendered tree
    std::int64_t imported_ns = 0;                // since the epoch
    std::optional<std::string> fingerprint = {}; // of the key that signed it; nullopt: nobody checked
    std::vector<std::string> insecure = {};      // insecure options that were used to let it in
    std::string tree_digest = {}; // hex, of the image's own content; of an image made of layers: of its topmost tree
    // What the image depends on, in the order of its manifest: looked up once, when it was fetched (DEP-12).
    std::vector<model::ImageId> dependencies = {};
    std::vector<ContentDigest> layers = {}; // of an image made of layers: their tars, the lowest first
    std::string manifest_digest = {};       // of the document that named them; empty if there was none

    bool is_layered() const noexcept { return !layers.empty(); }
    bool is_verified() const noexcept { return fingerprint.has_value(); }

    static Record parse(std::string_view text);
    std::string write() const;
    bool operator==(const Record&) const = default;
};

} // namespace rocket::store
