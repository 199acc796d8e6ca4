// SPDX-License-Identifier: Apache-2.0
// Sockets that the pod's own services listen on, reached from outside. What is in the pod's /run is not trusted: the
// name is resolved inside it, must be a socket, and is connected to by descriptor.
#pragma once

#include <optional>
#include <string>

#include "common/sys/fd.hh"

namespace rocket::stage1
{

// A stream connection to `path` in the pod's /run; nullopt if nobody listens there (yet).
std::optional<Fd> connect_in_pod(int run, const std::string& path, int init_pidfd);

// A datagram socket of ours in the pod's /run, to which PID 1 says that it is ready (sd_notify(3)).
inline constexpr const char* notify_socket_name = "rocket-notify";
Fd bind_notify_socket(int run);
// One of that name in the pod's /run, which whoever gets to see it may write to.
Fd bind_open_socket(int run, const std::string& name);

} // namespace rocket::stage1
