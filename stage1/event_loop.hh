// SPDX-License-Identifier: Apache-2.0
// One thread, one loop (sd-event): the supervisor waits for everything at once and polls nothing. A watch ends with
// its Source. An exception that leaves a callback ends the loop and comes out of run().
#pragma once

#include <systemd/sd-event.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

namespace rocket::stage1
{

class EventLoop;

// A watch. Destroying it, also from within its own callback, ends it at once: the descriptor may be closed right after.
class Source
{
public:
    Source() = default;
    explicit operator bool() const noexcept { return state_ != nullptr; }
    void reset() noexcept { state_.reset(); }
    void set_enabled(bool enabled); // a disabled watch keeps its place

private:
    friend class EventLoop;
    struct State;
    struct End {
        void operator()(State* state) const noexcept;
    };
    explicit Source(std::shared_ptr<State> state);
    std::unique_ptr<State, End> state_;
};

class EventLoop
{
public:
    using Callback = std::function<void(std::uint32_t events)>;

    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    sd_event* get() const noexcept { return event_; }

    // events: EPOLLIN, EPOLLOUT ...; the descriptor stays the caller's. Not for regular files: they never block.
    [[nodiscard]] Source on_io(int fd, std::uint32_t events, Callback callback);
    // The signal must be blocked.
    [[nodiscard]] Source on_signal(int signal, Callback callback);
    // Once, after this many microseconds.
    [[nodiscard]] Source after(std::uint64_t usec, Callback callback);

    void run(); // until stop()
    void stop() noexcept;

    // Runs `act` for a C library that must not see exceptions: one that leaves it is kept for run().
    void guarded(const std::function<void()>& act) noexcept;

private:
    static void run_callback(Source::State& state, std::uint32_t events) noexcept;

    sd_event* event_ = nullptr;
    std::exception_ptr failure_;
};

} // namespace rocket::stage1
