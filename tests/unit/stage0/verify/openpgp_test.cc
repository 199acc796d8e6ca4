// SPDX-License-Identifier: Apache-2.0
// What is refused before GnuPG sees it, on crafted bytes; and two real files, made by gpg 2.2.
#include "stage0/verify/openpgp.hh"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "stage0/verify/armour.hh"
#include "stage0/verify/signed_message.hh"

using namespace rocket;
using openpgp::Tag;

namespace
{

const std::string real_key = R"(-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawWKjBYJKwYBBAHaRw8BAQdASYyvts74TYcfagWriDp03F0+zj8bKP2rkzBu
m6xzoTm0IEFsaWNlIFRlc3RlciA8YWxpY2VAZXhhbXBsZS5jb20+iJAEExYIADgW
IQTilLS7F3o+5yVqV06oyOik/dFh1AUCawWKjAIbAwULCQgHAgYVCgkICwIEFgID
AQIeAQIXgAAKCRCoyOik/dFh1PTWAQDuY3sly5eEzgeDkAKU6Dzi4cnsJXDA2hsF
cmK3S4nlYAD/USDTQwuLDpMt9Spm4QfK8s7YOqwPts21crwnT4EBBw0=
=ruAc
-----END PGP PUBLIC KEY BLOCK-----
)";

const std::string real_signature = R"(-----BEGIN PGP SIGNATURE-----

iHUEABYIAB0WIQTilLS7F3o+5yVqV06oyOik/dFh1AUCawWKjAAKCRCoyOik/dFh
1EoLAP9FXuKZBHHNA7P2pPjeevaOsohEGLy/YwvbRuvhZkbDFAEAyp9jpr3ehhGH
AzD2x+yRJr2j3T0OzV17hXPnO23LEwA=
=rA53
-----END PGP SIGNATURE-----
)";

std::string base64(const std::string& bytes)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (unsigned k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : digits[bits >> (18 - 6 * k) & 0x3FU];
        if (i / 3 % 16 == 15)
            out += '\n';
    }
    return out;
}

std::string armoured(const std::string& bytes, const std::string& type = "PGP SIGNATURE")
{
    return "-----BEGIN " + type + "-----\n\n" + base64(bytes) + "\n-----END " + type + "-----\n";
}

std::string packet(Tag tag, const std::string& body)
{
    std::string out{static_cast<char>(0xC0U | static_cast<unsigned>(tag))};
    out += '\xFF';
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(body.size() >> shift & 0xFFU);
    return out + body;
}

std::string signature(char version, char signature_class, char hash)
{
    return packet(Tag::signature, std::string{version, signature_class, '\x16', hash} + std::string(20, '\0'));
}

const std::string good = signature(4, 0x00, 8);

std::string refusal(const std::string& file)
{
    try {
        openpgp::parse_signatures(file);
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::corrupt);
        return error.innermost();
    }
    return "accepted";
}

std::string key_refusal(const std::string& file)
{
    try {
        openpgp::parse_keys(file);
    } catch (const Error& error) {
        CHECK(error.kind() == Error::Kind::corrupt);
        return error.innermost();
    }
    return "accepted";
}

bool has(const std::string& text, const std::string& part)
{
    CAPTURE(text);
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("openpgp: signatures that gpg makes are taken, and handed on byte for byte")
{
    const auto one = openpgp::parse_signatures(real_signature);
    CHECK(one.count == 1);
    CHECK(armoured(one.packets).substr(0, 200).find("iHUEABYIAB0WIQTilLS7F3o") != std::string::npos);
    auto mailed = real_signature; // CR LF, and blanks behind the lines
    for (std::size_t at = 0; (at = mailed.find('\n', at)) != std::string::npos; at += 3)
        mailed.replace(at, 1, " \r\n");
    CHECK(openpgp::parse_signatures(mailed).packets == one.packets);
    CHECK(openpgp::parse_signatures("\n \n" + real_signature + "\n\n").count == 1);
    CHECK(openpgp::parse_signatures(armoured(good + good)).count == 2);
    for (const char hash : {char{8}, char{9}, char{10}, char{12}, char{14}})
        CHECK(refusal(armoured(signature(4, 0x00, hash))) == "accepted");
}

TEST_CASE("openpgp: what a signature file must not be (R11, SIG-2, SIG-10)")
{
    struct Case {
        std::string file;
        const char* why;
    };
    const Case cases[] = {
        {"", "not ASCII-armoured"},
        {good, "not ASCII-armoured"}, // binary
        {std::string(70000, ' ') + real_signature, "larger than"},
        {real_signature + "trailing garbage\n", "something besides"},
        {"text before\n" + real_signature, "something besides"},
        {real_signature + real_signature, "more than one"},
        {real_key, "PGP PUBLIC KEY BLOCK"},
        {"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx\n" + real_signature, "begins as"},
        {armoured(good, "PGP MESSAGE"), "not a PGP SIGNATURE"},
        {armoured(""), "empty"},
        {armoured(packet(Tag{4}, "one-pass")), "something else than signatures"},
        {armoured(good + packet(Tag{11}, "literal data")), "something else than signatures"},
        {armoured(packet(Tag{8}, "compressed") + good), "something else than signatures"},
        {armoured(signature(3, 0x00, 8)), "obsolete version 3"},
        {armoured(signature(4, 0x01, 8)), "text mode"},
        {armoured(signature(4, 0x10, 8)), "class 0x10"},
        {armoured(signature(4, 0x00, 1)), "MD5"},
        {armoured(signature(4, 0x00, 2)), "SHA-1"},
        {armoured(signature(4, 0x00, 3)), "RIPEMD-160"},
        {armoured(signature(4, 0x00, 11)), "SHA-224"},
        {armoured(good + signature(4, 0x00, 2)), "SHA-1"},
        {armoured(good.substr(0, good.size() - 1)), "cut off"},
        {armoured("\xC2\xE1xx" + good), "unknown length"}, // partial body length
        {armoured("\x8Bxx" + good), "unknown length"},     // indeterminate length
        {armoured("plain"), "not OpenPGP data"},
        {"-----BEGIN PGP SIGNATURE-----\n\n" + base64(good), "no end"},
        {"-----BEGIN PGP SIGNATURE-----\n" + base64(good) + "\n-----END PGP SIGNATURE-----\n", "header line"},
        {"-----BEGIN PGP SIGNATURE-----\n\n!!!!\n-----END PGP SIGNATURE-----\n", "not base64"},
        {"-----BEGIN PGP SIGNATURE-----\n\nAAA\n-----END PGP SIGNATURE-----\n", "not base64"},
        {"-----BEGIN PGP SIGNATURE-----\n\nAB==\n-----END PGP SIGNATURE-----\n", "not base64"},
        {"-----BEGIN PGP SIGNATURE-----\n\nAA==AAAA\n-----END PGP SIGNATURE-----\n", "not base64"},
    };
    for (const auto& one : cases) {
        CAPTURE(one.file.substr(0, 200));
        CHECK(has(refusal(one.file), one.why));
    }
    std::string many;
    for (std::size_t i = 0; i <= openpgp::max_signatures; ++i)
        many += good;
    CHECK(has(refusal(armoured(many)), "more than 16 signatures"));
}

TEST_CASE("openpgp: a flipped bit in armour is noticed by its checksum")
{
    auto flipped = real_signature;
    flipped[flipped.find("AP9F")] = 'B';
    CHECK(has(refusal(flipped), "checksum"));
    auto sum = real_signature;
    sum.replace(sum.find("=rA53"), 5, "=rA54");
    CHECK(has(refusal(sum), "checksum"));
}

TEST_CASE("openpgp: every prefix of a real file is refused, and none of them hurts (R19)")
{
    const auto whole = real_signature.size() - 1; // the last line's end may be missing
    for (std::size_t size = 0; size < whole; ++size)
        CHECK(refusal(real_signature.substr(0, size)) != "accepted");
    CHECK(refusal(real_signature.substr(0, whole)) == "accepted");
    const auto bytes = openpgp::parse_signatures(real_signature).packets;
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK(refusal(armoured(bytes.substr(0, size))) != "accepted");
}

TEST_CASE("openpgp: no changed byte gets more out of the parsers than an error (R19)")
{
    const auto signature_bytes = openpgp::parse_signatures(real_signature).packets;
    const auto key_bytes = openpgp::parse_keys(real_key)[0].packets;
    const auto mutate = [](const std::string& bytes, auto&& parse) {
        for (std::size_t at = 0; at < bytes.size(); ++at)
            for (const char value : {'\0', '\x01', '\x7F', '\x80', '\xC2', '\xFF'}) {
                auto changed = bytes;
                changed[at] = value;
                parse(changed);
            }
    };
    mutate(signature_bytes, [](const std::string& bytes) {
        const auto why = refusal(armoured(bytes));
        CHECK((why == "accepted" || !why.empty()));
    });
    mutate(key_bytes, [](const std::string& bytes) {
        const auto why = key_refusal(armoured(bytes, "PGP PUBLIC KEY BLOCK"));
        CHECK((why == "accepted" || !why.empty()));
    });
    mutate(real_signature, [](const std::string& file) { refusal(file); });
}

TEST_CASE("openpgp: keys are found with their fingerprints, several in a file or block too (Q54)")
{
    const auto one = openpgp::parse_keys(real_key);
    REQUIRE(one.size() == 1);
    CHECK(one[0].fingerprint == "e294b4bb177a3ee7256a574ea8c8e8a4fdd161d4");
    const auto text = "pub  ed25519 2026-11-24\n" + real_key + "\nand another\n" +
                      armoured(one[0].packets + packet(Tag::trust, "x") + packet(Tag::public_key, "\x04other"),
                               "PGP PUBLIC KEY BLOCK");
    const auto three = openpgp::parse_keys(text);
    REQUIRE(three.size() == 3);
    CHECK(three[1].packets == one[0].packets);
    CHECK(three[2].fingerprint != one[0].fingerprint);
}

TEST_CASE("openpgp: what a key file must not be")
{
    const auto block = [](const std::string& bytes) { return armoured(bytes, "PGP PUBLIC KEY BLOCK"); };
    CHECK(has(key_refusal(""), "not an ASCII-armoured public key"));
    CHECK(has(key_refusal(openpgp::parse_keys(real_key)[0].packets), "not an ASCII-armoured public key"));
    CHECK(has(key_refusal(armoured("x", "PGP PRIVATE KEY BLOCK")), "secret key"));
    CHECK(has(key_refusal(block(packet(Tag::secret_key, "\x04x"))), "secret key"));
    CHECK(has(key_refusal(real_key + armoured("x", "PGP PRIVATE KEY BLOCK")), "secret key"));
    CHECK(has(key_refusal(real_signature), "PGP SIGNATURE"));
    CHECK(has(key_refusal(block(packet(Tag::user_id, "x"))), "does not begin with a key"));
    CHECK(has(key_refusal(block(packet(Tag::public_key, "\x03xxx"))), "version 3"));
    CHECK(has(key_refusal(block(packet(Tag::public_key, "\x04xxx") + packet(Tag{11}, "x"))), "something else"));
    CHECK(has(key_refusal(block("")), "no key"));
    CHECK(has(key_refusal(std::string(300000, 'x')), "larger than"));
}

TEST_CASE("openpgp: messages that carry their own signatures are taken apart")
{
    const auto one_pass = packet(Tag::one_pass, std::string(13, '\0'));
    const auto literal = [](const std::string& content) {
        return packet(Tag::literal, "b" + std::string(5, '\0') + content);
    };
    const auto taken = openpgp::parse_signed_message(one_pass + one_pass + literal("hello") + good + good);
    CHECK(taken.payload == "hello");
    CHECK(taken.signatures.packets == good + good);
    CHECK(taken.signatures.count == 2);

    // a body in parts: 512 bytes, then the rest
    const auto body = "b" + std::string(5, '\0') + std::string(700, 'x');
    const auto parts = std::string{"\xCB\xE9"} + body.substr(0, 512) + "\xC0\x02" + body.substr(512);
    REQUIRE(body.size() - 512 == 194);
    CHECK(openpgp::parse_signed_message(one_pass + parts + good).payload == std::string(700, 'x'));

    const auto plain = std::string{"\xA3\0", 2} + one_pass + literal("hello") + good; // "compressed" by nothing
    CHECK(openpgp::parse_signed_message(plain).payload == "hello");

    const auto text = packet(Tag::literal, "t" + std::string(5, '\0') + "x");
    const auto weak = signature(4, 0x00, 2);
    for (const auto& bad : {std::string{}, std::string{"hello"}, good, one_pass, one_pass + good, literal("x") + good,
                            one_pass + literal("x"), one_pass + literal("x") + weak, one_pass + text + good,
                            one_pass + literal("x") + good + literal("y"), one_pass + literal("x") + good + "x",
                            std::string{"\xA3"}, std::string{"\xA3\x01garbage"}, std::string{"\xA3\x03"},
                            std::string{"\xA3\0", 2} + plain, std::string(70000, '\xA3')}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(openpgp::parse_signed_message(bad), Error);
    }
}
