// SPDX-License-Identifier: Apache-2.0
// From an index or a manifest to what an image consists of: the entry for this host is chosen, indexes inside indexes
// are followed, every document has to have the digest and size it is named by. Errors: those of documents.hh.
#pragma once

#include "stage0/oci/content.hh"
#include "stage0/oci/image_config.hh"
#include "stage0/oci/select.hh"

namespace rocket::oci
{

struct ResolvedImage {
    std::string manifest; // bytes; empty: there is none (docker save)
    std::string config;   // bytes
    ImageConfig parsed;
    std::vector<LayerPlace> layers; // the lowest first, as many as the configuration has
    Annotations annotations = {};   // of the manifest
};

// `host`: what platform it is to be for.
ResolvedImage resolve(Content& content, const Index& start, const Platform& host);
// A document that came by a name rather than by a descriptor; `stated`: the media type that came with it, if any.
ResolvedImage resolve(Content& content, const std::string& document, std::string_view stated, const Platform& host);

// Throws unless there are as many layers as diff ids, and some.
void check_layers(const ResolvedImage& image);

} // namespace rocket::oci
