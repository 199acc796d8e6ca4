// SPDX-License-Identifier: Apache-2.0
// Owner, mode, time and extended attributes of an archive member, checked (ACI-10, R10, R16). Attributes in the name
// spaces of the host's security modules and of overlayfs (trusted.*) are not the image's to set: labels are dropped,
// the others are refused, or dropped as well (OLYR-6). Errors: Kind::corrupt.
#pragma once

#include "stage0/store/tree_digest.hh"
#include "stage0/unpack/limits.hh"

struct archive_entry;

namespace rocket::unpack
{

store::Attributes attributes_of(archive_entry* entry, const Limits& limits, bool drop_foreign_xattrs = false);

} // namespace rocket::unpack
