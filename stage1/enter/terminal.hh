// SPDX-License-Identifier: Apache-2.0
// A terminal for the entered command: a pty of the pod's own devpts, so that nothing of the caller's terminal is in
// the pod's hands, and the relay between the two: raw mode (undone in every case), window size, bytes.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "common/sys/fd.hh"

namespace rocket::stage1
{

struct Pty {
    Fd master;
    Fd slave;
};

// Inside the app's root, before its user is taken on. Refuses a /dev/pts that is no devpts.
Pty open_pod_pty(std::uint32_t uid);

class TerminalRelay
{
public:
    // `master` of the pod's pty; raw mode only if our standard input is a terminal.
    explicit TerminalRelay(Fd master);
    TerminalRelay(const TerminalRelay&) = delete;
    TerminalRelay& operator=(const TerminalRelay&) = delete;
    ~TerminalRelay();

    int master() const noexcept { return master_.get(); }
    bool wants_input() const noexcept { return reads_input_ && to_pod_.empty(); }
    bool wants_to_write() const noexcept { return !to_pod_.empty(); }

    void copy_window_size() const noexcept;
    void read_input();     // from our standard input
    void write_to_pod();   // what was read
    bool write_output();   // from the pod to our terminal; false at its end
    void drain() noexcept; // what is left when the command has ended

private:
    Fd master_;
    std::optional<termios> before_; // of our terminal
    bool reads_input_ = false;
    std::string to_pod_;
};

} // namespace rocket::stage1
