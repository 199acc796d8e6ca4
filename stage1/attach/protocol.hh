// SPDX-License-Identifier: Apache-2.0
// What `attach` and the supervisor say to each other over the socket `attach` in the pod directory: frames of a header
// (type, endpoint, two zero bytes, length of the payload in little-endian 32 bits) and a payload of at most
// max_payload bytes. Both ends take the other's bytes as untrusted: whatever is not exactly a frame that the other may
// send ends the connection. Pure. Errors: Kind::corrupt.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/sys/error.hh"

namespace rocket::stage1::attach
{

// A bit each, so that they also make sets.
enum class Endpoint : std::uint8_t { none = 0, input = 1, output = 2, error = 4, terminal_in = 8, terminal_out = 16 };
using Endpoints = std::uint8_t; // a set
inline constexpr std::array all_endpoints{Endpoint::input, Endpoint::output, Endpoint::error, Endpoint::terminal_in,
                                          Endpoint::terminal_out};
constexpr Endpoints with(Endpoints set, Endpoint one)
{
    return static_cast<Endpoints>(set | static_cast<Endpoints>(one));
}
constexpr Endpoints operator|(Endpoint a, Endpoint b)
{
    return with(static_cast<Endpoints>(a), b);
}
constexpr bool contains(Endpoints set, Endpoint one)
{
    return (set & static_cast<Endpoints>(one)) != 0;
}
constexpr bool is_input(Endpoint one)
{
    return one == Endpoint::input || one == Endpoint::terminal_in;
}
std::string_view name_of(Endpoint endpoint) noexcept; // "stdin", "stdout", "stderr", "tty-in", "tty-out"

enum class Type : std::uint8_t {
    hello = 1,   // client, first: a byte with the endpoints it wants (0: all), then the app's name
    bytes = 2,   // both: of the endpoint
    end = 3,     // client: no more input; server: no more output of the endpoint
    window = 4,  // client: rows and columns of its terminal, 16 bits each
    welcome = 5, // server, first: a byte with the endpoints that the client is attached to
    goodbye = 6, // server, last: why it ends the connection, as text; empty: the app has ended
};

constexpr std::size_t header_size = 8;
constexpr std::size_t max_payload = 64U << 10U;

struct Frame {
    Type type = Type::bytes;
    Endpoint endpoint = Endpoint::none;
    std::string payload = {};
    bool operator==(const Frame&) const = default;
};

std::string encode(const Frame& frame);

struct Window {
    std::uint16_t rows = 0;
    std::uint16_t columns = 0;
};
std::string encode(Window window); // the payload
Window decode_window(std::string_view payload);

// Takes a stream of bytes apart.
class Decoder
{
public:
    enum class From { client, server };
    explicit Decoder(From from) : from_{from} {}

    void add(std::string_view bytes) { buffer_ += bytes; }
    std::optional<Frame> next(); // nothing until a whole frame is there

private:
    From from_;
    std::string buffer_;
};

} // namespace rocket::stage1::attach
