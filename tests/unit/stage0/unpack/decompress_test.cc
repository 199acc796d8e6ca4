// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/decompress.hh"

#include <bzlib.h>
#include <doctest/doctest.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "common/sys/error.hh"
#include "tar_builder.hh"

using namespace rocket;
using namespace rocket::unpack;

namespace
{

std::string gzip(const std::string& plain)
{
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string bzip2(const std::string& plain)
{
    std::string out(plain.size() + plain.size() / 50 + 1000, '\0');
    auto size = static_cast<unsigned>(out.size());
    REQUIRE(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(plain.data()),
                                     static_cast<unsigned>(plain.size()), 1, 0, 0) == BZ_OK);
    out.resize(size);
    return out;
}

std::string xz(const std::string& plain)
{
    std::string out(plain.size() + 1000, '\0');
    std::size_t size = 0;
    REQUIRE(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(plain.data()),
                                    plain.size(), reinterpret_cast<std::uint8_t*>(out.data()), &size,
                                    out.size()) == LZMA_OK);
    out.resize(size);
    return out;
}

// In pieces of `step` bytes, as a pipe may give them.
std::string run(const std::string& input, std::size_t step = 65536, const Limits& limits = {})
{
    std::size_t at = 0;
    const Read read = [&](char* buffer, std::size_t size) {
        const auto count = std::min({size, step, input.size() - at});
        std::memcpy(buffer, input.data() + at, count);
        at += count;
        return count;
    };
    std::string out;
    decompress(
        read, [&](std::string_view bytes) { out += bytes; }, limits);
    return out;
}

std::string error_of(const std::string& input, const Limits& limits = {})
{
    try {
        run(input, 65536, limits);
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}

std::string tar()
{
    std::string noise;
    for (unsigned i = 0, value = 1; i < 300'000; ++i) {
        value = value * 1103515245 + 12345;
        noise += static_cast<char>(value >> 16U);
    }
    return TarBuilder{}.add({.name = "manifest", .content = "{}"}).add({.name = "rootfs/x", .content = noise}).end();
}

using Compress = std::string (*)(const std::string&);

} // namespace

TEST_CASE("every compression gives the tar back, whatever the size of the pieces")
{
    const auto plain = tar();
    for (const Compress compress : {+[](const std::string& bytes) { return bytes; }, gzip, bzip2, xz})
        for (const std::size_t step : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{977}})
            CHECK(run(compress(plain), step) == plain);
    CHECK(run(gzip(plain), 1) == plain);
}

TEST_CASE("ACI-19: concatenated members and streams are read to the end, and padding is allowed")
{
    const auto plain = tar();
    const auto half = plain.size() / 2;
    for (const Compress compress : {gzip, bzip2, xz}) {
        const auto two = compress(plain.substr(0, half)) + compress(plain.substr(half));
        CHECK(run(two) == plain);
        CHECK(run(two, 1000) == plain);
        CHECK(run(two + std::string(4096, '\0')) == plain);
    }
}

TEST_CASE("what is cut, changed or followed by something else is refused")
{
    const auto plain = tar();
    for (const Compress compress : {gzip, bzip2, xz}) {
        const auto whole = compress(plain);
        for (const auto size : {whole.size() - 1, whole.size() - 9, whole.size() / 2, std::size_t{20}}) {
            CAPTURE(size);
            CHECK(error_of(whole.substr(0, size)).find("data") != std::string::npos);
        }
        auto changed = whole;
        changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 0x10);
        CHECK(error_of(changed) != "none");
        CHECK(error_of(whole + "garbage") != "none");
        CHECK(error_of(whole + std::string(512, '\0') + "garbage") != "none");
    }
}

TEST_CASE("the check sum of gzip counts")
{
    auto bytes = gzip(tar());
    bytes[bytes.size() - 7] = static_cast<char>(bytes[bytes.size() - 7] + 1);
    CHECK(error_of(bytes) == "the gzip data is damaged");
}

TEST_CASE("ACI-18: the format is told by content")
{
    CHECK(detect(gzip("x")) == Compression::gzip);
    CHECK(detect(bzip2("x")) == Compression::bzip2);
    CHECK(detect(xz("x")) == Compression::xz);
    CHECK(detect(tar().substr(0, 512)) == Compression::none);
    const auto v7 = TarBuilder{}.add({.name = "manifest", .content = "{}", .magic = ""}).open_end();
    CHECK(detect(v7.substr(0, 512)) == Compression::none);
    auto wrong = v7.substr(0, 512);
    wrong[0] = 'x';
    CHECK_THROWS_AS(detect(wrong), Error);

    CHECK(error_of("") == "the file is empty");
    CHECK(error_of("PK\x03\x04") == "unknown image filetype");
    CHECK(error_of("{\"acKind\": \"ImageManifest\"}") == "unknown image filetype");
    CHECK(error_of("\x28\xb5\x2f\xfd and more").find("zstd") != std::string::npos);
    CHECK(error_of("-----BEGIN PGP MESSAGE-----\n").find("encrypted") != std::string::npos);
}

TEST_CASE("ACI-20, R16: a bomb ends at the limits")
{
    const auto zeros = gzip(std::string(2'000'000, '\0'));
    Limits limits;
    limits.unpacked_bytes = 1'000'000;
    CHECK(error_of(zeros, limits).find("limit unpacked-bytes") != std::string::npos);
    limits.unpacked_bytes = 10'000'000;
    limits.ratio_free_bytes = 100'000;
    CHECK(error_of(zeros, limits).find("limit ratio") != std::string::npos);
    limits.ratio_free_bytes = 2'000'000;
    CHECK(error_of(zeros, limits) == "none");
    limits.memory_bytes = 1'000'000;
    CHECK(error_of(xz(tar()), limits).find("limit memory-bytes") != std::string::npos);
}
