// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/signed_message.hh"

#include <zlib.h>

#include <memory>
#include <optional>

#include "stage0/verify/bytes.hh"

namespace rocket::openpgp
{

namespace
{

std::optional<Tag> next_tag(const Bytes& in)
{
    if (in.empty())
        return std::nullopt;
    const auto header = static_cast<unsigned char>(in.rest().front());
    if ((header & 0x80U) == 0)
        fail(Error::Kind::corrupt, "it is not a signed OpenPGP message");
    return static_cast<Tag>((header & 0x40U) != 0 ? header & 0x3FU : header >> 2U & 0x0FU);
}

// RFC 4880, 4.2.2: one or more parts.
std::string new_format_body(Bytes& in)
{
    std::string body;
    for (;;) {
        const auto first = in.number(1);
        const bool is_last = first < 224 || first == 255;
        const auto length = first < 192    ? first
                            : first < 224  ? ((first - 192) << 8U) + in.number(1) + 192
                            : first == 255 ? in.number(4)
                                           : std::size_t{1} << (first & 0x1FU);
        body += in.take(length);
        if (is_last)
            return body;
    }
}

// RFC 4880, 4.2.1: of known length, or up to the end.
std::string old_format_body(Bytes& in, unsigned length_type)
{
    const auto length = length_type == 3 ? in.rest().size() : in.number(std::size_t{1} << length_type);
    return std::string{in.take(length)};
}

std::string body_of(Bytes& in, Tag wanted, std::string_view what)
{
    if (next_tag(in) != wanted)
        fail(Error::Kind::corrupt, "it is not a signed OpenPGP message: there is no {}", what);
    const auto header = static_cast<unsigned>(in.number(1));
    return (header & 0x40U) != 0 ? new_format_body(in) : old_format_body(in, header & 0x03U);
}

std::string inflated(std::string_view bytes, int window_bits)
{
    z_stream stream{};
    if (::inflateInit2(&stream, window_bits) != Z_OK)
        fail(Error::Kind::system, "zlib cannot start");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> end{&stream, ::inflateEnd};
    std::string out(max_payload_size, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); // zlib does not write there
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = ::inflate(&stream, Z_FINISH);
    if (result == Z_BUF_ERROR && stream.avail_out == 0)
        fail(Error::Kind::corrupt, "it is larger than {} bytes", max_payload_size);
    if (result != Z_STREAM_END || stream.avail_in != 0)
        fail(Error::Kind::corrupt, "its compressed data is damaged");
    out.resize(out.size() - stream.avail_out);
    return out;
}

std::string decompressed(std::string_view body)
{
    Bytes in{body};
    switch (const auto algorithm = in.number(1)) {
    case 0:
        return std::string{in.rest()};
    case 1:
        return inflated(in.rest(), -MAX_WBITS); // no header
    case 2:
        return inflated(in.rest(), MAX_WBITS);
    default:
        fail(Error::Kind::corrupt, "it is compressed by algorithm {}, which is not supported", algorithm);
    }
}

// What the literal packet holds, which is what was signed.
std::string literal_data(std::string_view body)
{
    Bytes in{body};
    if (in.take(1) != "b")
        fail(Error::Kind::corrupt, "its content is not marked as binary");
    in.take(in.number(1)); // name of a file
    in.take(4);            // time
    return std::string{in.rest()};
}

SignedMessage take_apart(std::string_view bytes)
{
    Bytes in{bytes};
    do
        body_of(in, Tag::one_pass, "beginning of a signature");
    while (next_tag(in) == Tag::one_pass);
    SignedMessage message{.payload = literal_data(body_of(in, Tag::literal, "content")), .signatures = {}};
    const auto found = packets(in.rest());
    check_signatures(found);
    message.signatures = {std::string{in.rest()}, found.size()};
    return message;
}

} // namespace

SignedMessage parse_signed_message(std::string_view file)
{
    if (file.size() > max_signature_size)
        fail(Error::Kind::corrupt, "it is larger than {} bytes", max_signature_size);
    Bytes in{file};
    if (next_tag(in) != Tag::compressed)
        return take_apart(file);
    const auto inside = decompressed(body_of(in, Tag::compressed, "content"));
    if (!in.empty())
        fail(Error::Kind::corrupt, "it goes on after its end");
    return take_apart(inside);
}

} // namespace rocket::openpgp
