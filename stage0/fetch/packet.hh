// SPDX-License-Identifier: Apache-2.0
// One packet of a SOCK_SEQPACKET socket, with at most one descriptor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/sys/fd.hh"

namespace rocket::fetch
{

struct Packet {
    std::string bytes; // empty: the other end has gone
    Fd fd;
};

// False if the socket is non-blocking and full. Kind::system if the other end has gone.
bool send_packet(int socket, std::string_view bytes, int fd = -1);
// nullopt if the socket is non-blocking and there is none. Kind::corrupt if it is longer than `limit`.
std::optional<Packet> receive_packet(int socket, std::size_t limit);

} // namespace rocket::fetch
