// SPDX-License-Identifier: Apache-2.0
// What the service manager that started us, if there is one (NOTIFY_SOCKET, cli 9.3), gets to know: ready, stopping,
// and that it should be patient as long as starting or stopping takes.
#pragma once

#include <string>

#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class HostNotify
{
public:
    explicit HostNotify(EventLoop& loop);

    void starting(const std::string& status);
    void ready(const std::string& status);
    void stopping(const std::string& status);

private:
    void keep_extending();

    EventLoop& loop_;
    bool wanted_;
    Source timer_;
};

} // namespace rocket::stage1
