// SPDX-License-Identifier: Apache-2.0
// The stage1 a pod runs on: a directory in image layout (manifest, rootfs/), or an image of the store; used in place
// and never written. And the entry points its manifest names (internals 3.1). Errors: Kind::not_found,
// Kind::unsupported.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/model/image_manifest.hh"

namespace rocket::pod
{

struct Stage1Image {
    std::string rootfs;                       // absolute
    std::string manifest_text;                // the pod keeps a copy
    std::optional<model::ImageId> image = {}; // of the store; nullopt: a directory
};

// A directory in image layout.
Stage1Image load_stage1(const std::string& directory);

// The absolute path of an entry point ("run", "enter", "gc", "stop") of the stage1 with that manifest and rootfs.
// Throws Kind::unsupported if it has none.
std::string entry_point(std::string_view manifest_text, const std::string& rootfs, std::string_view name);

} // namespace rocket::pod
