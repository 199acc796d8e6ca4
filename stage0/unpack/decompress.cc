// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/decompress.hh"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <memory>

#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/unpack/stream.hh"
#include "stage0/unpack/tar_header.hh"

namespace rocket::unpack
{

namespace
{

using namespace std::string_view_literals;

[[noreturn]] void fail_corrupt(std::string_view format)
{
    fail(Error::Kind::corrupt, "the {} data is damaged", format);
}

[[noreturn]] void fail_truncated(std::string_view format)
{
    fail(Error::Kind::corrupt, "the {} data ends too early", format);
}

void copy(Input& in, Output& out)
{
    while (in.fill()) {
        const auto bytes = in.available();
        in.consume(bytes.size()); // before the output looks at the ratio
        out.pass(bytes);
    }
}

// zlib's and bzip2's streams have the same members, and both formats are a sequence of members.
template <typename Stream>
std::size_t give(Stream& stream, Input& in, Output& out)
{
    stream.next_in = reinterpret_cast<decltype(stream.next_in)>(const_cast<char*>(in.available().data()));
    stream.avail_in = static_cast<unsigned>(in.available().size());
    stream.next_out = reinterpret_cast<decltype(stream.next_out)>(out.space());
    stream.avail_out = static_cast<unsigned>(Output::capacity);
    return in.available().size();
}

template <typename Stream>
void take(Stream& stream, std::size_t given, Input& in, Output& out)
{
    in.consume(given - stream.avail_in);
    out.commit(Output::capacity - stream.avail_out);
}

void gunzip(Input& in, Output& out)
{
    z_stream stream{};
    if (::inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) // gzip only; zlib checks CRC and length of each member
        fail(Error::Kind::system, "cannot start zlib");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end{&stream, ::inflateEnd};
    while (in.fill()) {
        const auto given = give(stream, in, out);
        const int result = ::inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END)
            fail_corrupt("gzip");
        take(stream, given, in, out);
        if (result != Z_STREAM_END)
            continue;
        if (!in.fill())
            return;
        if (in.available()[0] != '\x1f')
            return in.expect_padding();
        ::inflateReset(&stream); // a further member
    }
    fail_truncated("gzip");
}

void bunzip2(Input& in, Output& out)
{
    using Stream = std::unique_ptr<bz_stream, void (*)(bz_stream*)>;
    bz_stream state{};
    const auto begin = [&]() -> Stream {
        state = {};
        if (::BZ2_bzDecompressInit(&state, 0, 0) != BZ_OK)
            fail(Error::Kind::system, "cannot start bzip2");
        return {&state, [](bz_stream* stream) { ::BZ2_bzDecompressEnd(stream); }};
    };
    auto stream = begin();
    while (in.fill()) {
        const auto given = give(*stream, in, out);
        const int result = ::BZ2_bzDecompress(stream.get());
        if (result != BZ_OK && result != BZ_STREAM_END)
            fail_corrupt("bzip2");
        take(*stream, given, in, out);
        if (result != BZ_STREAM_END)
            continue;
        if (!in.fill())
            return;
        if (in.available()[0] != 'B')
            return in.expect_padding();
        stream.reset(); // before begin() makes `state` new
        stream = begin();
    }
    fail_truncated("bzip2");
}

void unxz(Input& in, Output& out, const Limits& limits)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    // Concatenated streams and stream padding are liblzma's business here; an unknown kind of check sum is an error.
    if (::lzma_stream_decoder(&stream, limits.memory_bytes / 2, LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK) !=
        LZMA_OK)
        fail(Error::Kind::system, "cannot start liblzma");
    const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> end{&stream, ::lzma_end};
    for (;;) {
        const auto action = in.fill() ? LZMA_RUN : LZMA_FINISH;
        stream.next_in = reinterpret_cast<const std::uint8_t*>(in.available().data());
        stream.avail_in = in.available().size();
        stream.next_out = reinterpret_cast<std::uint8_t*>(out.space());
        stream.avail_out = Output::capacity;
        const auto given = stream.avail_in;
        const auto result = ::lzma_code(&stream, action);
        if (result == LZMA_BUF_ERROR)
            fail_truncated("xz");
        if (result == LZMA_MEMLIMIT_ERROR)
            fail(Error::Kind::corrupt, "the xz data needs more than {} bytes of memory (limit memory-bytes)",
                 limits.memory_bytes / 2);
        if (result == LZMA_UNSUPPORTED_CHECK)
            fail(Error::Kind::unsupported, "the xz data has a check sum of an unknown kind");
        if (result != LZMA_OK && result != LZMA_STREAM_END)
            fail_corrupt("xz");
        in.consume(given - stream.avail_in);
        out.commit(Output::capacity - stream.avail_out);
        if (result == LZMA_STREAM_END)
            return;
    }
}

void unzstd(Input& in, Output& out)
{
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context{::ZSTD_createDCtx(), ::ZSTD_freeDCtx};
    if (!context)
        fail(Error::Kind::system, "cannot start libzstd");
    std::size_t wanted = 0; // 0: a frame has just ended; frames, skippable ones too, simply follow one another
    while (in.fill()) {
        ZSTD_inBuffer given{.src = in.available().data(), .size = in.available().size(), .pos = 0};
        ZSTD_outBuffer taken{.dst = out.space(), .size = Output::capacity, .pos = 0};
        wanted = ::ZSTD_decompressStream(context.get(), &taken, &given);
        if (::ZSTD_isError(wanted) != 0)
            fail_corrupt("zstd");
        in.consume(given.pos);
        out.commit(taken.pos);
    }
    if (wanted != 0)
        fail_truncated("zstd");
}

bool is_zstd(std::string_view head)
{
    const bool skippable = head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xF0U) == 0x50U;
    return head.starts_with("\x28\xb5\x2f\xfd") || (skippable && head.substr(1, 3) == "\x2a\x4d\x18");
}

bool looks_encrypted(std::string_view head)
{
    // An OpenPGP message for a pass phrase begins with a symmetric-key packet (tag 3), in either packet format.
    return head.starts_with("-----BEGIN PGP MESSAGE") || head[0] == '\xc3' || head[0] == '\x8c';
}

} // namespace

Compression detect(std::string_view head, Formats formats)
{
    const bool is_layer = formats == Formats::layer;
    if (head.empty() && is_layer)
        return Compression::none;
    if (head.empty())
        fail(Error::Kind::corrupt, "the file is empty");
    if (head.starts_with("\x1f\x8b"))
        return Compression::gzip;
    if (head.starts_with("BZh"))
        return Compression::bzip2;
    if (head.starts_with("\xfd\x37zXZ\0"sv))
        return Compression::xz;
    if (head.size() > 262 && head.substr(257, 5) == "ustar")
        return Compression::none;
    if (head.size() == tar_block && tar_checksum_is_right(head))
        return Compression::none;
    if (is_layer && head.find_first_not_of('\0') == head.npos) // a tar of nothing (OLYR-14)
        return Compression::none;
    if (is_layer && is_zstd(head))
        return Compression::zstd;
    if (is_zstd(head))
        fail(Error::Kind::unsupported,
             "the image is compressed with zstd, which is not an appc format (gzip, bzip2 and xz are)");
    if (looks_encrypted(head))
        fail(Error::Kind::unsupported, "the image is encrypted: decrypt it first with gpg --decrypt");
    fail(Error::Kind::corrupt, "unknown image filetype");
}

void decompress(const Read& read, const Write& write, const Limits& limits, Formats formats)
{
    Input in{read};
    const auto compression = detect(in.head(), formats);
    Output out{write, limits, in};
    switch (compression) {
    case Compression::none:
        return copy(in, out);
    case Compression::gzip:
        return gunzip(in, out);
    case Compression::bzip2:
        return bunzip2(in, out);
    case Compression::xz:
        return unxz(in, out, limits);
    case Compression::zstd:
        return unzstd(in, out);
    }
}

} // namespace rocket::unpack
