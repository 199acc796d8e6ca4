// SPDX-License-Identifier: Apache-2.0
// What the children of `enter` tell their parent, over a SOCK_SEQPACKET socket that the exec of the command closes.
#pragma once

#include <sys/types.h>

#include <optional>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"

namespace rocket::stage1
{

void send_error(int socket, const Error& error) noexcept;
void send_terminal(int socket, const Fd& master);
void send_pid(int socket, pid_t pid);

struct Messages {
    std::optional<Error> error;
    std::optional<pid_t> pid;
    Fd terminal;
};
Messages receive_all(int socket); // until the other end is closed

} // namespace rocket::stage1
