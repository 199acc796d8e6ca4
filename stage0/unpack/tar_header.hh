// SPDX-License-Identifier: Apache-2.0
// One 512-byte tar header block: its check sum and its fields, read strictly. Errors: Kind::corrupt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rocket::unpack
{

constexpr std::size_t tar_block = 512;

// The sum of all bytes with the check sum's own field as blanks; both the unsigned and the old signed sum will do.
bool tar_checksum_is_right(std::string_view block) noexcept;

struct TarField {
    std::string_view name;
    std::size_t at;
    std::size_t size;
};

namespace tar_field
{
inline constexpr TarField mode{"mode", 100, 8};
inline constexpr TarField uid{"uid", 108, 8};
inline constexpr TarField gid{"gid", 116, 8};
inline constexpr TarField size{"size", 124, 12};
inline constexpr TarField mtime{"mtime", 136, 12};
inline constexpr TarField checksum{"checksum", 148, 8};
inline constexpr TarField devmajor{"devmajor", 329, 8};
inline constexpr TarField devminor{"devminor", 337, 8};
inline constexpr std::size_t type = 156;
inline constexpr std::size_t gnu_sparse_continues = 482;       // in an old GNU sparse header
inline constexpr std::size_t gnu_sparse_block_continues = 504; // in the blocks that follow it
} // namespace tar_field

// Octal digits ended by blank or NUL, or base 256 when the first byte has bit 0x80; an empty field is 0.
std::int64_t tar_number(std::string_view block, const TarField& field);

} // namespace rocket::unpack
