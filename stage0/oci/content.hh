// SPDX-License-Identifier: Apache-2.0
// Where the documents and layers of an image come from: a directory, an archive, a registry. What it gives is checked
// by whoever asked, against the digests that documents name; nothing here is believed. Errors: Kind::not_found and
// those of the place.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/sys/fd.hh"
#include "stage0/oci/documents.hh"
#include "stage0/store/layer_store.hh"

namespace rocket::oci
{

// Bytes in a regular file, which stays open as long as this lives.
struct Bytes {
    std::shared_ptr<Fd> file;
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    bool is_download = false; // the whole of a file of ours, which nobody writes to any more

    std::string read() const; // all; the caller has looked at the size
};

// A layer as the document names it that the image consists of.
struct LayerPlace {
    std::optional<store::ContentDigest> digest = {}; // of the bytes; nullopt: the document does not say (docker save)
    std::optional<std::uint64_t> size = {};
    std::vector<std::string> urls = {}; // further places, for what may not be redistributed
    std::string path = {};              // in an archive of docker save
};

class Content
{
public:
    virtual ~Content() = default;
    // A manifest or configuration; at most `limit` bytes.
    virtual std::string document(const Descriptor& descriptor, std::uint64_t limit) = 0;
    // Each layer as it comes, in any order, while others may still be on their way.
    using OnLayer = std::function<void(std::size_t index, Bytes bytes)>;
    virtual void layers(std::span<const LayerPlace> places, const OnLayer& done) = 0;
};

} // namespace rocket::oci
