// SPDX-License-Identifier: Apache-2.0
// From the configuration of a Docker or OCI image to an appc image manifest (oci.md chapter 11). The same input gives
// the same bytes, on every host. Errors: Kind::corrupt for what no manifest can say.
#pragma once

#include <functional>
#include <string>

#include "common/model/image_manifest.hh"
#include "stage0/oci/image_config.hh"
#include "stage0/store/layer_stack.hh"

namespace rocket::oci
{

// Where the image comes from, as far as its manifest is to say so.
struct Origin {
    std::string name;          // of the appc image, before it is made valid
    std::string version = {};  // label; empty: none
    std::string original = {}; // normalised reference
    std::string registry = {}; // the host that was asked
    std::string repository = {};
    std::string tag = {};
    std::string manifest_digest = {};
    std::string image_id = {};    // digest of the configuration
    Annotations annotations = {}; // of the OCI manifest
};

std::string working_directory_of(const ImageConfig& config); // absolute

using Warn = std::function<void(const std::string&)>;
// `tree`: the final one, for users and groups.
model::ImageManifest convert(const ImageConfig& config, const Origin& origin, const store::LayerStack& tree,
                             const Warn& warn);

} // namespace rocket::oci
