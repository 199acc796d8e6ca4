// SPDX-License-Identifier: Apache-2.0
// One app's side of attaching: what it offers, what it has said lately, who is attached. The app never waits for a
// client; clients wait for the app only with what they have typed.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/fd.hh"
#include "stage1/attach/history.hh"
#include "stage1/attach/protocol.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1::attach
{

class Session;

class Point
{
public:
    explicit Point(EventLoop& loop) : loop_{loop} {}
    Point(const Point&) = delete;
    Point& operator=(const Point&) = delete;
    ~Point();

    // The app is about to start (again). `input`: write end of its stdin. `terminal`: master of its terminal, ours to
    // write to and to size.
    void begin(Endpoints offered, Fd input, Fd terminal);
    void say(Endpoint output, std::string_view bytes);
    void end(Endpoint output); // there is no more
    void end_all();            // the app has ended, and everything it said was handed on

    Endpoints offered() const noexcept { return offered_; }

    // For sessions.
    void join(Session& session);
    void leave(Session& session) noexcept;
    void take_input(std::string_view bytes);
    bool is_full() const noexcept; // sessions hold back what they read until resume_input()
    void end_input(const Session& by);
    void resize(Window window) const noexcept;

private:
    void flush_input();
    void give_up_input();

    EventLoop& loop_;
    Endpoints offered_ = 0;
    Endpoints ended_ = 0;
    bool over_ = false;
    Fd input_;    // a pipe, or a duplicate of the master: written to
    Fd terminal_; // for its size
    std::string pending_input_;
    bool input_ends_ = false;
    Source input_ready_;
    std::map<Endpoint, History> said_;
    std::vector<Session*> sessions_;
};

} // namespace rocket::stage1::attach
