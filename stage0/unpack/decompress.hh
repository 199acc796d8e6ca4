// SPDX-License-Identifier: Apache-2.0
// The bytes of an image file, in whichever of the four forms of appc 3.1, or of a layer, which may also be compressed
// with zstd (OLYR-3), turned into those of the tar. The form is told by content (ACI-18, ACI-19), every check sum
// counts, and what follows the compressed stream has to be padding.
// Errors: Kind::corrupt for bad input, Kind::unsupported for what is no appc format, a limit's own error (R16).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "stage0/unpack/limits.hh"

namespace rocket::unpack
{

using Read = std::function<std::size_t(char* buffer, std::size_t size)>; // 0 at the end
using Write = std::function<void(std::string_view bytes)>;

enum class Compression { none, gzip, bzip2, xz, zstd };
enum class Formats { image, layer };

// From the first bytes (512, or all there are). Throws if it is no image.
Compression detect(std::string_view head, Formats formats = Formats::image);

void decompress(const Read& read, const Write& write, const Limits& limits, Formats formats = Formats::image);

} // namespace rocket::unpack
