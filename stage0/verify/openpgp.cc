// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/openpgp.hh"

#include <gcrypt.h>

#include <array>
#include <cstdint>
#include <span>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/verify/armour.hh"
#include "stage0/verify/bytes.hh"

namespace rocket::openpgp
{

namespace
{

std::size_t new_format_length(Bytes& in)
{
    const auto first = in.number(1);
    if (first < 192)
        return first;
    if (first < 224)
        return ((first - 192) << 8U) + in.number(1) + 192;
    if (first == 255)
        return in.number(4);
    fail(Error::Kind::corrupt, "an OpenPGP packet of unknown length");
}

std::size_t old_format_length(Bytes& in, unsigned length_type)
{
    if (length_type == 3)
        fail(Error::Kind::corrupt, "an OpenPGP packet of unknown length");
    return in.number(std::size_t{1} << length_type);
}

Packet next_packet(Bytes& in)
{
    const auto start = in.rest();
    const auto header = static_cast<unsigned>(in.number(1));
    if ((header & 0x80U) == 0)
        fail(Error::Kind::corrupt, "not OpenPGP data");
    const bool new_format = (header & 0x40U) != 0;
    const auto tag = new_format ? header & 0x3FU : header >> 2U & 0x0FU;
    const auto length = new_format ? new_format_length(in) : old_format_length(in, header & 0x03U);
    const auto body = in.take(length);
    return {static_cast<Tag>(tag), body, start.substr(0, start.size() - in.rest().size())};
}

// RFC 4880, 9.4, and RFC 9580 for SHA-3.
bool is_strong_hash(std::size_t algorithm)
{
    constexpr std::array<std::size_t, 5> strong{8, 9, 10, 12, 14}; // SHA-256, -384, -512, SHA3-256, -512
    for (const auto one : strong)
        if (algorithm == one)
            return true;
    return false;
}

std::string hash_name(std::size_t algorithm)
{
    switch (algorithm) {
    case 1:
        return "MD5";
    case 2:
        return "SHA-1";
    case 3:
        return "RIPEMD-160";
    case 11:
        return "SHA-224";
    default:
        return fmt::format("hash algorithm {}", algorithm);
    }
}

void check_signature(const Packet& packet)
{
    if (packet.tag != Tag::signature)
        fail(Error::Kind::corrupt, "it holds something else than signatures (OpenPGP packet type {})",
             static_cast<unsigned>(packet.tag));
    Bytes in{packet.body};
    const auto version = in.number(1);
    if (version < 4)
        fail(Error::Kind::corrupt, "a signature of the obsolete version {}", version);
    const auto signature_class = in.number(1);
    if (signature_class == 0x01)
        fail(Error::Kind::corrupt, "a signature made in text mode, which would allow changed line ends");
    if (signature_class != 0x00)
        fail(Error::Kind::corrupt, "a signature of class 0x{:02x}, which is not one over a file", signature_class);
    in.number(1); // public key algorithm
    if (const auto hash = in.number(1); !is_strong_hash(hash))
        fail(Error::Kind::corrupt, "a signature made with {}, which is too weak", hash_name(hash));
}

// RFC 4880, 12.2
std::string v4_fingerprint(std::string_view body)
{
    std::string hashed{'\x99', static_cast<char>(body.size() >> 8U), static_cast<char>(body.size() & 0xFFU)};
    hashed += body;
    constexpr std::size_t sha1_bytes = 20;
    std::array<std::uint8_t, sha1_bytes> digest{};
    ::gcry_md_hash_buffer(GCRY_MD_SHA1, digest.data(), hashed.data(), hashed.size());
    return text::hex(digest);
}

Key start_key(const Packet& packet)
{
    Bytes in{packet.body};
    if (const auto version = in.number(1); version != 4)
        fail(Error::Kind::corrupt, "a key of version {}; only version 4 is supported", version);
    if (packet.body.size() > 0xFFFF)
        fail(Error::Kind::corrupt, "a key that is too large");
    return {v4_fingerprint(packet.body), std::string{packet.whole}};
}

void collect_keys(std::string_view bytes, std::vector<Key>& keys)
{
    bool inside = false;
    for (const auto& packet : packets(bytes)) {
        switch (packet.tag) {
        case Tag::public_key:
            if (keys.size() == max_keys)
                fail(Error::Kind::corrupt, "more than {} keys in one file", max_keys);
            keys.push_back(start_key(packet));
            inside = true;
            break;
        case Tag::public_subkey:
        case Tag::user_id:
        case Tag::user_attribute:
        case Tag::signature:
            if (!inside)
                fail(Error::Kind::corrupt, "it does not begin with a key");
            keys.back().packets += packet.whole;
            break;
        case Tag::marker:
        case Tag::trust: // somebody's own notes; they mean nothing here
            break;
        case Tag::secret_key:
        case Tag::secret_subkey:
            fail(Error::Kind::corrupt, "it holds a secret key");
        default:
            fail(Error::Kind::corrupt, "it holds something else than keys (OpenPGP packet type {})",
                 static_cast<unsigned>(packet.tag));
        }
    }
}

} // namespace

void check_signatures(const std::vector<Packet>& found)
{
    if (found.empty())
        fail(Error::Kind::corrupt, "it is empty");
    if (found.size() > max_signatures)
        fail(Error::Kind::corrupt, "it holds more than {} signatures", max_signatures);
    for (const auto& packet : found)
        check_signature(packet);
}

std::vector<Packet> packets(std::string_view bytes)
{
    std::vector<Packet> found;
    for (Bytes in{bytes}; !in.empty();)
        found.push_back(next_packet(in));
    return found;
}

Signatures parse_signatures(std::string_view file)
{
    if (file.size() > max_signature_size)
        fail(Error::Kind::corrupt, "it is larger than {} bytes", max_signature_size);
    const auto armour = take_off(file);
    if (armour.blocks.empty())
        fail(Error::Kind::corrupt, "it is not ASCII-armoured (gpg --armor --detach-sign makes such a file)");
    if (armour.blocks.size() > 1)
        fail(Error::Kind::corrupt, "it holds more than one armoured block");
    if (armour.has_other_text)
        fail(Error::Kind::corrupt, "it holds something besides its armoured block");
    const auto& block = armour.blocks.front();
    if (block.type != "PGP SIGNATURE")
        fail(Error::Kind::corrupt, "it holds a {}, not a PGP SIGNATURE", text::quoted(block.type));

    const auto found = packets(block.bytes);
    check_signatures(found);
    return {block.bytes, found.size()};
}

std::vector<Key> parse_keys(std::string_view file)
{
    if (file.size() > max_key_file_size)
        fail(Error::Kind::corrupt, "it is larger than {} bytes", max_key_file_size);
    const auto armour = take_off(file);
    if (armour.blocks.empty())
        fail(Error::Kind::corrupt, "it is not an ASCII-armoured public key (gpg --armor --export KEY makes one)");
    std::vector<Key> keys;
    for (const auto& block : armour.blocks) {
        if (block.type == "PGP PRIVATE KEY BLOCK")
            fail(Error::Kind::corrupt, "it holds a secret key");
        if (block.type != "PGP PUBLIC KEY BLOCK")
            fail(Error::Kind::corrupt, "it holds a {}, not a PGP PUBLIC KEY BLOCK", text::quoted(block.type));
        collect_keys(block.bytes, keys);
    }
    if (keys.empty())
        fail(Error::Kind::corrupt, "there is no key in it");
    return keys;
}

} // namespace rocket::openpgp
