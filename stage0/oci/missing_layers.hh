// SPDX-License-Identifier: Apache-2.0
// The layers of an image that are not here yet, each brought once, however often the image has it. Errors: those of the
// place they come from and of whoever takes them in; Kind::corrupt.
#pragma once

#include <functional>

#include "stage0/oci/resolve.hh"

namespace rocket::oci
{

using IsHere = std::function<bool(std::size_t place)>;
// Several at a time, each in a thread of its own.
using TakeLayer = std::function<void(std::size_t place, const Bytes& bytes)>;

// `place`: of the layer in the image, from the lowest.
void bring_missing_layers(Content& content, const ResolvedImage& image, const IsHere& is_here, const TakeLayer& take);

// Kind::corrupt unless it has as many bytes as the document says, if that says so.
void check_size(const LayerPlace& layer, const Bytes& bytes);

} // namespace rocket::oci
