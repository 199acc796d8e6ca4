// SPDX-License-Identifier: Apache-2.0
// Reads the tar of an App Container image (appc chapter 3) and writes what is below rootfs/ into a tree.
// TarReader takes the members apart; the names, the attributes and TreeWriter decide whether they are accepted
// (ACI-1..14). Errors: Kind::corrupt, each limit with its own.
#pragma once

#include <functional>
#include <string_view>

#include "stage0/unpack/decompress.hh"
#include "stage0/unpack/place_member.hh"
#include "stage0/unpack/report.hh"

namespace rocket::unpack
{

// What libarchive loads late is loaded now, while that is still allowed.
void prepare_extraction();

// Reads to the real end of the stream. `on_manifest` gets the manifest's bytes as soon as they are there.
TreeSummary extract(const Read& read, Fd root, const ExtractOptions& options,
                    const std::function<void(std::string_view)>& on_manifest);

} // namespace rocket::unpack
