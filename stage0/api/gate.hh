// SPDX-License-Identifier: Apache-2.0
// Who gets in: connections are accepted here, and gRPC is handed those of root and of members of the group rocket (by
// the kernel's word, SO_PEERCRED and SO_PEERGROUPS). A TCP socket lets everybody in who can reach it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "common/sys/fd.hh"

namespace rocket::api
{

class Gate
{
public:
    // `group`: whose members may ask. `let_in` takes over a connected, non-blocking socket.
    Gate(std::vector<Fd> listening, gid_t group, std::function<void(Fd)> let_in);

    // Until `signals` is readable, or there was no connection for so long.
    void run(int signals, std::optional<std::chrono::milliseconds> idle);

private:
    void accept(int listening);
    bool may_enter(int connection) const;

    std::vector<Fd> listening_;
    gid_t group_;
    std::function<void(Fd)> let_in_;
    std::vector<Fd> connections_; // second descriptors: they tell when the other side has gone
};

} // namespace rocket::api
