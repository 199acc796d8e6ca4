// SPDX-License-Identifier: Apache-2.0
// gzip, bzip2, xz and tar: forms of an archive as received (appc 3.1).
#include "stage0/unpack/decompress.hh"

#include "target.hh"

namespace
{

void decompress(std::string_view bytes)
{
    rocket::unpack::Limits limits;
    limits.unpacked_bytes = std::uint64_t{1} << 20;
    std::uint64_t written = 0;
    rocket::unpack::decompress(
        [&](char* buffer, std::size_t size) {
            const auto part = bytes.substr(0, size);
            part.copy(buffer, size);
            bytes.remove_prefix(part.size());
            return part.size();
        },
        [&](std::string_view out) { written += out.size(); }, limits);
    rocket::fuzz::promise(written <= limits.unpacked_bytes);
}

} // namespace

ROCKET_FUZZ(decompress)
