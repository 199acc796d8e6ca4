// SPDX-License-Identifier: Apache-2.0
// --interactive on a terminal: the caller's terminal and the app's own become one. Keys go to the app as they are (raw
// mode), the window size follows, and ^] pressed three times within a second calls `escape`. However the supervisor
// ends, short of SIGKILL, the caller's terminal is as it was.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"
#include "stage1/output.hh"

namespace rocket::stage1
{

// Counts ^] in what is typed. Pure.
class EscapeSequence
{
public:
    bool typed(std::string_view keys, std::int64_t monotonic_usec); // true: three in time

private:
    std::array<std::int64_t, 2> previous_{-1, -1}; // when the last two were typed
};

class CallerTerminal
{
public:
    // `master`: of the app's terminal.
    CallerTerminal(EventLoop& loop, Fd master, std::function<void()> escape);
    ~CallerTerminal();
    CallerTerminal(const CallerTerminal&) = delete;
    CallerTerminal& operator=(const CallerTerminal&) = delete;

    void finish(); // the app has ended: hand on what it wrote last

private:
    void copy_size() const noexcept;
    void on_key();
    void on_output();
    bool write_keys();

    EventLoop& loop_;
    Fd master_;
    Fd writer_;    // the same, for a watch of its own
    Fd keep_open_; // a slave: without one, a master reports "hung up" until the app has opened its own
    Output output_;
    termios saved_{};
    std::function<void()> escape_;
    EscapeSequence sequence_;
    std::string keys_; // typed, and not yet taken by the app
    std::string held_; // written, and not yet taken by the caller
    Source typed_, writable_, readable_, resized_;
};

} // namespace rocket::stage1
