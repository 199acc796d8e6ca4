// SPDX-License-Identifier: Apache-2.0
// What the service manager that started us, if there is one (NOTIFY_SOCKET, cli 9.3), gets to know: ready, stopping,
// that it should be patient as long as starting or stopping takes, and what the app that speaks for the pod says. If
// there is none, we answer the manager's watchdog ourselves: what it then watches is this process.
#pragma once

#include <cstdint>
#include <string>

#include "stage1/app_notify.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class HostNotify
{
public:
    explicit HostNotify(EventLoop& loop);

    // How often the manager wants to hear WATCHDOG=1; 0: it has no watchdog for us.
    std::uint64_t watchdog_usec() const noexcept { return watchdog_usec_; }
    void app_speaks() { app_speaks_ = true; } // before ready()

    void starting(const std::string& status);
    void ready(const std::string& status);
    void stopping(const std::string& status);
    // `ends_pod`: the pod ends with the app, so that its STOPPING is the pod's. EXTEND_TIMEOUT_USEC is not handed on:
    // we say it ourselves as long as it is needed, and no app is to undo a limit of the unit.
    void relay(const AppNews& news, bool ends_pod);

private:
    void keep_extending();
    void keep_alive();

    EventLoop& loop_;
    bool wanted_;
    std::uint64_t watchdog_usec_ = 0;
    bool app_speaks_ = false;
    bool is_ready_ = false;
    std::string app_status_; // empty: it has said nothing
    Source timer_, watchdog_;
};

} // namespace rocket::stage1
