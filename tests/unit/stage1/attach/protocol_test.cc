// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/protocol.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1::attach;

namespace
{

std::optional<Frame> decode(Decoder::From from, std::string_view bytes)
{
    Decoder decoder{from};
    decoder.add(bytes);
    return decoder.next();
}

} // namespace

TEST_CASE("attach protocol: what is encoded comes out again, in whatever pieces it arrives")
{
    const std::vector<Frame> frames{{Type::hello, Endpoint::none, std::string("\0web", 4)},
                                    {Type::bytes, Endpoint::input, "typed"},
                                    {Type::window, Endpoint::terminal_in, encode(Window{24, 300})},
                                    {Type::end, Endpoint::input}};
    std::string bytes;
    for (const auto& frame : frames)
        bytes += encode(frame);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
        Decoder decoder{Decoder::From::client};
        std::vector<Frame> seen;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            decoder.add(std::string_view{bytes}.substr(at, piece));
            while (auto frame = decoder.next())
                seen.push_back(std::move(*frame));
        }
        CHECK(seen == frames);
    }
    CHECK(decode_window(frames[2].payload).rows == 24);
    CHECK(decode_window(frames[2].payload).columns == 300);
}

TEST_CASE("attach protocol: each side says only what it may")
{
    const auto welcome = encode({Type::welcome, Endpoint::none, "\x07"});
    const auto output = encode({Type::bytes, Endpoint::output, "x"});
    CHECK(decode(Decoder::From::server, welcome));
    CHECK(decode(Decoder::From::server, output));
    CHECK_THROWS_AS(decode(Decoder::From::client, welcome), Error);
    CHECK_THROWS_AS(decode(Decoder::From::client, output), Error);
    CHECK_THROWS_AS(decode(Decoder::From::server, encode({Type::bytes, Endpoint::input, "x"})), Error);
    CHECK_THROWS_AS(decode(Decoder::From::client, encode({Type::end, Endpoint::terminal_in})), Error);
    CHECK_THROWS_AS(decode(Decoder::From::client, encode({Type::window, Endpoint::terminal_in, "123"})), Error);
    CHECK_THROWS_AS(decode(Decoder::From::client, encode({Type::bytes, Endpoint::input})), Error);
    CHECK_THROWS_AS(decode(Decoder::From::client, encode({static_cast<Type>(9), Endpoint::none, "x"})), Error);
    CHECK_THROWS_AS(decode(Decoder::From::client, encode({Type::bytes, static_cast<Endpoint>(9), "x"})), Error);
}

TEST_CASE("attach protocol: a length is refused before its bytes are waited for")
{
    auto frame = encode({Type::bytes, Endpoint::input, std::string(max_payload + 1, 'x')});
    CHECK_THROWS_AS(decode(Decoder::From::client, std::string_view{frame}.substr(0, header_size)), Error);
    frame = encode({Type::bytes, Endpoint::input, std::string(max_payload, 'x')});
    CHECK_FALSE(decode(Decoder::From::client, std::string_view{frame}.substr(0, header_size)));
    frame[2] = 1; // reserved
    CHECK_THROWS_AS(decode(Decoder::From::client, frame), Error);
}
