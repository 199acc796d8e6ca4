// SPDX-License-Identifier: Apache-2.0
// A unix socket in the pod directory on which the supervisor serves the other entry points of stage1, and nobody but
// root: the socket has mode 0600, and who connects is asked of the kernel (SO_PEERCRED). Being a file of the pod it
// goes with the pod.
#pragma once

#include <functional>
#include <string>

#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class Listener
{
public:
    // `accepted` gets each connection, non-blocking.
    Listener(EventLoop& loop, int pod_dir, const std::string& name, std::function<void(Fd)> accepted);

private:
    void accept();

    Fd socket_;
    std::function<void(Fd)> accepted_;
    Source incoming_;
};

// The other end: connected to the supervisor's socket of that name. Kind::not_found if nobody listens.
Fd connect_to_supervisor(int pod_dir, const std::string& name);

} // namespace rocket::stage1
