// SPDX-License-Identifier: Apache-2.0
// Names of archive members and targets of hard links (ACI-2..5, ACI-12): cleaned lexically; absolute names and ".."
// are refused. Errors: Kind::corrupt.
#pragma once

#include <string>
#include <string_view>

#include "stage0/unpack/limits.hh"

namespace rocket::unpack
{

struct MemberName {
    enum class Place { nothing, manifest, rootfs }; // nothing: the archive's own "."
    Place place = Place::nothing;
    std::string path = {}; // below rootfs; "" is rootfs itself
};

MemberName parse_member_name(std::string_view raw, const Limits& limits);

// In a layer everything is below the root, ""; a leading "/" is as good as none (OLYR-6).
std::string parse_layer_path(std::string_view raw, const Limits& limits);

} // namespace rocket::unpack
