// SPDX-License-Identifier: Apache-2.0
// One attached client. What it does not read is kept up to a bound; beyond it the client is told so and dropped.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "common/sys/fd.hh"
#include "stage1/attach/protocol.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1::attach
{

class Point;

class Session
{
public:
    static constexpr std::size_t max_unread = 1U << 20U; // bytes
    static constexpr std::uint64_t usual_patience_usec = 5'000'000;

    // `find`: the point of an app, or null. `over` is called once, when the session is over; it may still be at work
    // then.
    Session(EventLoop& loop, Fd connection, std::function<Point*(const std::string& app)> find,
            std::function<void(Session&)> over);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Endpoints attached() const noexcept { return attached_; }
    bool is_over() const noexcept { return !connection_; } // can be destroyed

    // For the point.
    void say(Endpoint output, std::string_view bytes);
    void end(Endpoint output);
    // What is queued, a goodbye, and the end; at the latest after `patience_usec`.
    void finish(std::string_view why, std::uint64_t patience_usec = usual_patience_usec);
    void resume_input();
    void forget_point() noexcept { point_ = nullptr; }

private:
    void on_readable();
    void read_frames();
    void take(const Frame& frame);
    void greet(const Frame& hello);
    void send(const Frame& frame);
    void flush();
    void close() noexcept;

    EventLoop& loop_;
    Fd connection_;
    Fd writer_; // the same, for a watch of its own
    std::function<Point*(const std::string&)> find_;
    std::function<void(Session&)> over_;
    Decoder decoder_{Decoder::From::client};
    Point* point_ = nullptr;
    Endpoints attached_ = 0;
    bool greeted_ = false;
    bool finishing_ = false;
    std::deque<std::string> unread_; // frames; part of the first may be written already
    std::size_t unread_bytes_ = 0;
    std::size_t written_ = 0; // of the first
    Source readable_, writable_, deadline_;
};

} // namespace rocket::stage1::attach
