// SPDX-License-Identifier: Apache-2.0
// ASCII armour (RFC 4880, 6.2) taken off strictly: whole lines, padding and checksum are as they should be, or it is
// an error. Pure functions. Errors: Kind::corrupt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rocket::openpgp
{

struct Block {
    std::string type; // "PGP SIGNATURE"
    std::string bytes;
};

struct Armour {
    std::vector<Block> blocks;
    bool has_other_text = false; // anything but blank lines outside of the blocks
};

Armour take_off(std::string_view file);

} // namespace rocket::openpgp
