// SPDX-License-Identifier: Apache-2.0
// Descriptors across a process border: over a Unix socket (SCM_RIGHTS, unix(7)), and out of a child that opens them
// where we cannot or do not want to be.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/fd.hh"

namespace rocket
{

inline constexpr std::size_t most_passed_fds = 32;

// One message, over a SOCK_SEQPACKET or SOCK_STREAM socket; `text` is not empty.
void send_fds(int socket, std::string_view text, std::span<const Fd> fds);

struct ReceivedFds {
    std::string text;
    std::vector<Fd> fds; // close-on-exec
};
// nullopt: the other end is closed.
std::optional<ReceivedFds> receive_fds(int socket, std::size_t text_limit);

// Runs `open` in a child of our own, and returns the descriptors that it opened there: in namespaces that it has
// joined, or among mounts that are nobody else's. What it throws is thrown here.
std::vector<Fd> open_in_child(const std::function<std::vector<Fd>()>& open);

} // namespace rocket
