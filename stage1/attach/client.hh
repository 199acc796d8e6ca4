// SPDX-License-Identifier: Apache-2.0
// The client's side of attaching: our stdin, stdout and stderr become the app's, until the app ends, the user detaches,
// or the supervisor sends us away. On a terminal keys go to the app as they are, and the window size follows.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "common/sys/fd.hh"
#include "stage1/attach/options.hh"
#include "stage1/attach/protocol.hh"

namespace rocket::stage1::attach
{

// The caller's terminal in raw mode, until this ends.
class RawTerminal
{
public:
    RawTerminal();
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

private:
    termios before_{};
};

class Client
{
public:
    Client(Fd connection, const Options& options);

    Endpoints greet(); // what we are attached to. Kind::usage if the app does not offer what was asked for
    // `signals`: a signalfd for SIGWINCH and what ends us. Throws if the supervisor sends us away.
    void run(int signals);

private:
    void send(const Frame& frame);
    void send_window();
    bool on_signal(int signals); // false: the end
    bool on_input();             // false: the user has detached
    bool on_frames();            // false: the app's streams have ended
    bool take_what_is_here();
    bool take(const Frame& frame);
    std::optional<Frame> receive();
    Endpoint input() const noexcept;

    Fd connection_;
    Options options_;
    Decoder decoder_{Decoder::From::server};
    DetachKeys keys_;
    Endpoints attached_ = 0;
    bool reads_input_ = false;
    std::optional<RawTerminal> raw_;
};

} // namespace rocket::stage1::attach
