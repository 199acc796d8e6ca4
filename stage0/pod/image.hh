// SPDX-License-Identifier: Apache-2.0
// An image as a pod needs it: found, verified and rendered by stage0/image before any pod exists. Plain data.
#pragma once

#include <string>
#include <vector>

#include "common/model/image_manifest.hh"
#include "common/model/names.hh"

namespace rocket::pod
{

struct Image {
    model::ImageId id;
    model::ImageManifest manifest;
    std::string manifest_text; // the bytes in the archive: what the pod keeps a copy of
    // The rendered root file system, absolute: the topmost first, each an overlay over those behind it.
    std::vector<std::string> trees;
};

} // namespace rocket::pod
