// SPDX-License-Identifier: Apache-2.0
// The table of contents of an archive of files (oci-archive, docker-archive): what the worker finds, so that the broker
// can read single files out of the archive without unpacking it. Errors: Kind::corrupt.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "stage0/unpack/decompress.hh"
#include "stage0/unpack/limits.hh"

namespace rocket::unpack
{

struct ArchivedFile {
    std::uint64_t offset = 0; // in the uncompressed tar
    std::uint64_t size = 0;
    std::string link = {}; // not empty: a symbolic link, with this target
    bool operator==(const ArchivedFile&) const = default;
};

// By clean relative path; directories are left out.
struct Members {
    std::map<std::string, ArchivedFile> files = {};
    static Members parse(std::string_view bytes);
    std::string write() const;
};

// Hard links and special files are refused, a second member of the same name as well (OLAY-5).
Members list_members(const Read& read, const Limits& limits);

} // namespace rocket::unpack
