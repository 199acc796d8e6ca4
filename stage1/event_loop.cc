// SPDX-License-Identifier: Apache-2.0
#include "stage1/event_loop.hh"

#include "common/bus/bus.hh"

namespace rocket::stage1
{

struct Source::State : std::enable_shared_from_this<Source::State> {
    State(EventLoop* owner, EventLoop::Callback what) : loop{owner}, callback{std::move(what)} {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { ::sd_event_source_disable_unref(source); }

    EventLoop* loop;
    EventLoop::Callback callback;
    sd_event_source* source = nullptr;
    std::shared_ptr<State> self; // while there is a Source; a running callback holds another one
};

Source::Source(std::shared_ptr<State> state) : state_{state.get()}
{
    state_->self = std::move(state);
}

void Source::End::operator()(State* state) const noexcept
{
    state->source = ::sd_event_source_disable_unref(state->source);
    const auto last = std::move(state->self);
}

void Source::set_enabled(bool enabled)
{
    if (state_)
        bus::check(::sd_event_source_set_enabled(state_->source, enabled ? SD_EVENT_ON : SD_EVENT_OFF),
                   "switching a watch");
}

EventLoop::EventLoop()
{
    bus::check(::sd_event_new(&event_), "making an event loop");
}

EventLoop::~EventLoop()
{
    ::sd_event_unref(event_);
}

void EventLoop::guarded(const std::function<void()>& act) noexcept
{
    try {
        act();
    } catch (...) {
        if (!failure_)
            failure_ = std::current_exception();
        stop();
    }
}

void EventLoop::run_callback(Source::State& state, std::uint32_t events) noexcept
{
    const auto alive = state.shared_from_this(); // the callback may drop its own Source
    state.loop->guarded([&] { state.callback(events); });
}

Source EventLoop::on_io(int fd, std::uint32_t events, Callback callback)
{
    auto state = std::make_shared<Source::State>(this, std::move(callback));
    const auto act = [](sd_event_source*, int, std::uint32_t happened, void* data) {
        run_callback(*static_cast<Source::State*>(data), happened);
        return 0;
    };
    bus::check(::sd_event_add_io(event_, &state->source, fd, events, act, state.get()), "watching a descriptor");
    return Source{std::move(state)};
}

Source EventLoop::on_signal(int signal, Callback callback)
{
    auto state = std::make_shared<Source::State>(this, std::move(callback));
    const auto act = [](sd_event_source*, const struct signalfd_siginfo*, void* data) {
        run_callback(*static_cast<Source::State*>(data), 0);
        return 0;
    };
    bus::check(::sd_event_add_signal(event_, &state->source, signal, act, state.get()), "watching a signal");
    ::sd_event_source_set_priority(state->source, SD_EVENT_PRIORITY_IMPORTANT); // before what it has brought about
    return Source{std::move(state)};
}

Source EventLoop::after(std::uint64_t usec, Callback callback)
{
    auto state = std::make_shared<Source::State>(this, std::move(callback));
    const auto act = [](sd_event_source*, std::uint64_t, void* data) {
        run_callback(*static_cast<Source::State*>(data), 0);
        return 0;
    };
    bus::check(::sd_event_add_time_relative(event_, &state->source, CLOCK_MONOTONIC, usec, 1, act, state.get()),
               "setting a timer");
    return Source{std::move(state)};
}

void EventLoop::run()
{
    bus::check(::sd_event_loop(event_), "waiting for events");
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
}

void EventLoop::stop() noexcept
{
    ::sd_event_exit(event_, 0);
}

} // namespace rocket::stage1
