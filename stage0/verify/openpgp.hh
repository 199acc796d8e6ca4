// SPDX-License-Identifier: Apache-2.0
// The little of OpenPGP (RFC 4880) that is checked before GnuPG sees a byte (R11): armour is taken off here, packets
// are walked here, and exactly the packets found here are what GnuPG is given. Pure functions.
// Errors: Kind::corrupt.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::openpgp
{

constexpr std::size_t max_signature_size = std::size_t{64} << 10;
constexpr std::size_t max_key_file_size = std::size_t{256} << 10;
constexpr std::size_t max_signatures = 16; // in one file
constexpr std::size_t max_keys = 64;       // in one file

enum class Tag : unsigned {
    signature = 2,
    one_pass = 4,
    secret_key = 5,
    public_key = 6,
    secret_subkey = 7,
    compressed = 8,
    marker = 10,
    literal = 11,
    trust = 12,
    user_id = 13,
    public_subkey = 14,
    user_attribute = 17,
};

struct Packet {
    Tag tag;
    std::string_view body;
    std::string_view whole; // with its header
};

// Definite lengths only, up to the last byte. The views point into `bytes`.
std::vector<Packet> packets(std::string_view bytes);

// That there are some, not too many, and nothing else than signatures of version 4 or later over a binary document with
// SHA-256 or stronger (SIG-2, SIG-10).
void check_signatures(const std::vector<Packet>& packets);

// The packets of a file that is exactly one armoured "PGP SIGNATURE" block, checked as above.
struct Signatures {
    std::string packets;
    std::size_t count = 0;
};
Signatures parse_signatures(std::string_view file);

// The public keys of a file: one or more armoured "PGP PUBLIC KEY BLOCK"s, each with one or more keys of version 4.
struct Key {
    std::string fingerprint; // of the primary key, 40 lower-case hex digits
    std::string packets;     // the key with its subkeys, identities and their signatures
};
std::vector<Key> parse_keys(std::string_view file);

} // namespace rocket::openpgp
