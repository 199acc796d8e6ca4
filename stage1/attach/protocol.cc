// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/protocol.hh"

#include <algorithm>
#include <bit>

namespace rocket::stage1::attach
{

namespace
{

// What each side may say, about which endpoints, and how long it may be.
struct Rule {
    Type type;
    Decoder::From from;
    Endpoints about; // 0: about none
    std::size_t least, most;
};
constexpr Endpoints inputs = Endpoint::input | Endpoint::terminal_in;
constexpr Endpoints outputs = with(Endpoint::output | Endpoint::error, Endpoint::terminal_out);
constexpr Endpoints terminal_in = static_cast<Endpoints>(Endpoint::terminal_in);
constexpr std::array<Rule, 8> rules{{
    {Type::hello, Decoder::From::client, 0, 2, 1 + 255},
    {Type::bytes, Decoder::From::client, inputs, 1, max_payload},
    {Type::end, Decoder::From::client, static_cast<Endpoints>(Endpoint::input), 0, 0},
    {Type::window, Decoder::From::client, terminal_in, 4, 4},
    {Type::bytes, Decoder::From::server, outputs, 1, max_payload},
    {Type::end, Decoder::From::server, outputs, 0, 0},
    {Type::welcome, Decoder::From::server, 0, 1, 1},
    {Type::goodbye, Decoder::From::server, 0, 0, 4096},
}};

std::uint32_t number(std::string_view bytes)
{
    std::uint32_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i)
        value = value << 8U | static_cast<unsigned char>(bytes[i - 1]);
    return value;
}

void append(std::string& to, std::uint32_t value, std::size_t bytes)
{
    for (std::size_t i = 0; i < bytes; ++i)
        to += static_cast<char>(value >> (8 * i) & 0xFFU);
}

bool fits(const Rule& rule, Endpoint endpoint)
{
    const auto one = static_cast<Endpoints>(endpoint);
    return rule.about == 0 ? one == 0 : std::has_single_bit(one) && contains(rule.about, endpoint);
}

} // namespace

std::string_view name_of(Endpoint endpoint) noexcept
{
    switch (endpoint) {
    case Endpoint::input:
        return "stdin";
    case Endpoint::output:
        return "stdout";
    case Endpoint::error:
        return "stderr";
    case Endpoint::terminal_in:
        return "tty-in";
    case Endpoint::terminal_out:
        return "tty-out";
    case Endpoint::none:
        break;
    }
    return "none";
}

std::string encode(const Frame& frame)
{
    std::string bytes{static_cast<char>(frame.type), static_cast<char>(frame.endpoint), '\0', '\0'};
    append(bytes, static_cast<std::uint32_t>(frame.payload.size()), 4);
    return bytes + frame.payload;
}

std::string encode(Window window)
{
    std::string payload;
    append(payload, window.rows, 2);
    append(payload, window.columns, 2);
    return payload;
}

Window decode_window(std::string_view payload)
{
    return {static_cast<std::uint16_t>(number(payload.substr(0, 2))),
            static_cast<std::uint16_t>(number(payload.substr(2, 2)))};
}

std::optional<Frame> Decoder::next()
{
    if (buffer_.size() < header_size)
        return std::nullopt;
    const auto type = static_cast<Type>(buffer_[0]);
    const auto endpoint = static_cast<Endpoint>(buffer_[1]);
    const std::size_t size = number(std::string_view{buffer_}.substr(4, 4));
    const auto rule = std::ranges::find_if(rules, [&](const Rule& r) { return r.type == type && r.from == from_; });
    if (rule == rules.end() || !fits(*rule, endpoint) || buffer_[2] != 0 || buffer_[3] != 0)
        fail(Error::Kind::corrupt, "there is no such message in the protocol of attach");
    if (size < rule->least || size > rule->most)
        fail(Error::Kind::corrupt, "a message of attach has a length of {}", size);
    if (buffer_.size() < header_size + size)
        return std::nullopt;
    Frame frame{type, endpoint, buffer_.substr(header_size, size)};
    buffer_.erase(0, header_size + size);
    return frame;
}

} // namespace rocket::stage1::attach
