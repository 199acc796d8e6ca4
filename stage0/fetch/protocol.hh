// SPDX-License-Identifier: Apache-2.0
// What the broker (http.cc) and its worker (main.cc) say to each other over a SOCK_SEQPACKET pair, one message per
// packet. An exchange is one request and its response, no redirect followed:
//   broker: Start   worker: Head   broker: Decision (with a descriptor, if the body is to be written)   worker: Done
// At any time the worker may say Failed and the broker Cancel. How far it is, the broker sees by the file's size.
// Decoding checks every length (R1). Errors: Kind::corrupt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rocket::fetch
{

constexpr int socket_fd = 3;
constexpr int ca_fd = 4; // certificates to trust instead of the system's, if it is open
constexpr std::size_t largest_headers = std::size_t{64} << 10;
constexpr std::size_t largest_message = std::size_t{192} << 10; // fits into one packet

struct Header {
    std::string name;
    std::string value;
    bool operator==(const Header&) const = default;
};
using Headers = std::vector<Header>;

// --- to the worker
struct Start {
    std::uint64_t id = 0;
    std::string method;
    std::string url;
    Headers headers;
    std::string body;
    std::uint64_t connect_seconds = 0;
    std::uint64_t idle_seconds = 0;
    std::uint64_t total_seconds = 0; // 0: no limit
    bool verify_tls = true;
};

struct Decision {
    enum class Body { discard, write, tags };
    std::uint64_t id = 0;
    Body body = Body::discard;
    std::uint64_t offset = 0; // write: where in the file
    std::uint64_t limit = 0;  // of the body, in bytes
};

struct Cancel {
    std::uint64_t id = 0;
};

// --- to the broker
struct Head {
    std::uint64_t id = 0;
    std::uint64_t status = 0;
    Headers headers; // names in lower case
};

// A <meta name=... content=...> of a page whose name begins with "ac-".
struct Tag {
    std::string name;
    std::string content;
    bool operator==(const Tag&) const = default;
};

struct Done {
    std::uint64_t id = 0;
    std::uint64_t bytes = 0;
    std::vector<Tag> tags;
};

enum class Failure : std::uint64_t {
    resolve,   // no such host, or no answer from a name server
    connect,   // nobody answers there
    tls,       // who answers cannot prove to be the host
    time,      // a time limit
    cut,       // the connection ended before the response did
    too_large, // more bytes, or more headers, than allowed
    malformed, // not HTTP, or not as asked for
    write,     // the file could not be written
    other,
};

struct Failed {
    std::uint64_t id = 0;
    Failure failure = Failure::other;
    std::uint64_t bytes = 0; // of the body that were written before
    std::string text;
};

using ToWorker = std::variant<Start, Decision, Cancel>;
using ToBroker = std::variant<Head, Done, Failed>;

std::string encode(const ToWorker& message);
std::string encode(const ToBroker& message);
ToWorker decode_to_worker(std::string_view bytes);
ToBroker decode_to_broker(std::string_view bytes);

} // namespace rocket::fetch
