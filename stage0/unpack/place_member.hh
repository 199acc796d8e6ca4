// SPDX-License-Identifier: Apache-2.0
// One member of an archive that is no hard link, written to its place in a tree with content and attributes: the same
// for images and for layers. Errors: Kind::corrupt.
#pragma once

#include <string>

#include "stage0/unpack/limits.hh"
#include "stage0/unpack/tar_reader.hh"
#include "stage0/unpack/tree_writer.hh"

namespace rocket::unpack
{

struct ExtractOptions {
    Limits limits = {};
    bool allow_devices = false;
    Fidelity fidelity = Fidelity::exact;
    bool drop_foreign_xattrs = false; // rather than refuse those that are not an image's to set (OLYR-6)
};

void place_member(TarReader& reader, const TarReader::Member& member, const std::string& path, TreeWriter& writer,
                  const ExtractOptions& options);

} // namespace rocket::unpack
