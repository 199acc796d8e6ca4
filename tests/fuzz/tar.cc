// SPDX-License-Identifier: Apache-2.0
// The tar of an image: our own check, libarchive, names and attributes; nothing is written (appc chapter 3).
#include "stage0/unpack/extract.hh"
#include "target.hh"

namespace
{

void extract(std::string_view bytes)
{
    [[maybe_unused]] static const bool prepared = (rocket::unpack::prepare_extraction(), true);
    rocket::unpack::ExtractOptions options;
    options.limits.members = 10'000;
    options.limits.unpacked_bytes = std::uint64_t{1} << 20; // sparse files are cheap to state and dear to hash
    options.allow_devices = true;
    std::size_t manifests = 0;
    const auto tree = rocket::unpack::extract(
        [&](char* buffer, std::size_t size) {
            const auto part = bytes.substr(0, size);
            part.copy(buffer, size);
            bytes.remove_prefix(part.size());
            return part.size();
        },
        {}, options, [&](std::string_view) { manifests += 1; });
    rocket::fuzz::promise(manifests == 1 && tree.file_bytes <= options.limits.unpacked_bytes);
}

} // namespace

ROCKET_FUZZ(extract)
