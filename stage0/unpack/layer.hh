// SPDX-License-Identifier: Apache-2.0
// Reads the tar of one layer of a Docker or OCI image into a tree that overlayfs can stack on those below it:
// white-outs become device nodes 0:0, opaque directories are named for the broker to mark (oci.md chapter 7). Errors:
// Kind::corrupt.
#pragma once

#include "stage0/unpack/place_member.hh"
#include "stage0/unpack/report.hh"
#include "stage0/unpack/seams.hh"

namespace rocket::unpack
{

struct Layer {
    TreeSummary tree; // its digest counts the marks of opaque directories, too
    Seams seams;
};

Layer extract_layer(const Read& read, Fd root, const ExtractOptions& options);

} // namespace rocket::unpack
