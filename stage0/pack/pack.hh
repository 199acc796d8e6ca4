// SPDX-License-Identifier: Apache-2.0
// A directory tree as an image archive: a gzip-compressed tar of `manifest` and, below `rootfs/`, everything in the
// tree with owner, mode, time, extended attributes and hard links, names in byte order. Sockets and device nodes stay
// out: an image must not bring them (ACI-6). Reads each file once and keeps none in memory.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/sys/fd.hh"

namespace rocket::pack
{

struct Summary {
    std::uint64_t members = 0;
    std::uint64_t left_out = 0; // sockets and devices
};

Summary pack(std::string_view manifest, const Fd& tree, int output);

} // namespace rocket::pack
