// SPDX-License-Identifier: Apache-2.0
// What an app says about itself by sd_notify(3), on a socket of ours that is in its root and in no other. Whoever is in
// there may speak, as with NotifyAccess=all. Nothing of it is trusted: known fields only, each checked, texts cut and
// made printable; descriptors that come along are closed. An app that talks too much is made to wait.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

struct AppNews {
    enum class Watchdog { silent, alive, trigger };
    bool ready = false;
    bool reloading = false;
    bool stopping = false;
    Watchdog watchdog = Watchdog::silent;
    std::optional<std::string> status; // one printable line
    std::optional<std::uint64_t> monotonic_usec;
    std::optional<int> error; // errno
    bool operator==(const AppNews&) const = default;
};

// Pure. Fields that are not known or make no sense are left out; a message with a NUL says nothing.
AppNews parse_news(std::string_view message);

class AppNotify
{
public:
    using Told = std::function<void(const AppNews& news)>;
    AppNotify(EventLoop& loop, Fd socket, Told told);

private:
    void watch();
    void read();

    EventLoop& loop_;
    Fd socket_;
    Told told_;
    unsigned budget_; // messages until the pause
    std::uint64_t since_ = 0;
    Source readable_, pause_;
};

} // namespace rocket::stage1
