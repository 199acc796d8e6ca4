// SPDX-License-Identifier: Apache-2.0
// The broker between an image file and the two confined workers: pumps the bytes of the file through the decompressor,
// hashes the tar that comes out to its real end (that is the image id, IID-1, R2) and passes it on to the extractor,
// all at once and each byte once. Parses nothing but the workers' reports. Errors: those of the workers, with their
// kind; Kind::system if a worker dies.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/model/image_id.hh"
#include "stage0/unpack/limits.hh"
#include "stage0/unpack/report.hh"

namespace rocket::store
{

// How a command takes part in long work: called often; may print progress or extend a start-up time-out.
using Tick = std::function<void(std::uint64_t done, std::uint64_t total)>; // bytes of the file

struct UnpackJob {
    int archive = -1;    // a regular file, read from its start; its offset is not used
    int copy = -1;       // if given: every byte of the archive is written here
    int tar = -1;        // if given: the tar is written here
    bool extract = true; // false: only decompress and hash
    int tree = -1;       // the directory to fill; -1: only compute what its digest would be
    bool allow_devices = false;
    unpack::Limits limits = {};
    Tick tick = {};
    std::function<void(const std::string&)> debug = {};
};

struct Unpacked {
    model::ImageId id;
    std::uint64_t archive_bytes = 0;
    std::uint64_t tar_bytes = 0;
    std::string manifest = {}; // empty if not extracted
    unpack::TreeSummary tree = {};
};

Unpacked unpack_image(const UnpackJob& job);

} // namespace rocket::store
