// SPDX-License-Identifier: Apache-2.0
// The broker between an image file and the two confined workers: pumps the bytes of the file through the decompressor,
// hashes the tar that comes out to its real end (that is the image id, IID-1, R2) and passes it on to the extractor,
// all at once and each byte once. The same for layers, which are named by digests of their own. Parses nothing but the
// workers' reports. Errors: those of the workers, with their kind; Kind::system if a worker dies.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/model/image_id.hh"
#include "stage0/store/content_digest.hh"
#include "stage0/unpack/limits.hh"
#include "stage0/unpack/report.hh"

namespace rocket::store
{

// How a command takes part in long work: called often; may print progress or extend a start-up time-out.
using Tick = std::function<void(std::uint64_t done, std::uint64_t total)>; // bytes of the file

struct UnpackJob {
    // What the tar holds, that is what becomes of it; nothing: it is only decompressed and hashed.
    enum class Content { nothing, image, layer, files };
    Content content = Content::image;
    int archive = -1;                // a regular file; its offset is not used
    std::uint64_t begin = 0;         // where in the file the archive begins
    std::uint64_t size = UINT64_MAX; // of the archive, at most
    int copy = -1;                   // if given: every byte of the archive is written here
    int tar = -1;                    // if given: the tar is written here
    int tree = -1;                   // the directory to fill; -1: only compute what its digest would be
    // Content that is named by digests: hashed the way they are.
    std::optional<ContentDigest> archive_digest = {};
    std::optional<ContentDigest> tar_digest = {};
    bool allow_devices = false;
    unpack::Limits limits = {};
    Tick tick = {};
    std::function<void(const std::string&)> debug = {};
};

struct Unpacked {
    model::ImageId id; // of an image, or nothing
    std::optional<ContentDigest> archive_digest = {};
    std::optional<ContentDigest> tar_digest = {};
    std::uint64_t archive_bytes = 0;
    std::uint64_t tar_bytes = 0;
    std::string manifest = {}; // of an image
    std::string seams = {};    // of a layer: unpack/seams.hh
    std::string files = {};    // unpack/members.hh
    unpack::TreeSummary tree = {};
};

Unpacked unpack_image(const UnpackJob& job);

} // namespace rocket::store
