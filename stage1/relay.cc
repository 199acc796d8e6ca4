// SPDX-License-Identifier: Apache-2.0
#include "stage1/relay.hh"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t chunk = 64U << 10U; // what a pipe holds by default
constexpr int rounds = 16;                // before the other streams get their turn

} // namespace

Relay::Relay(EventLoop& loop, Fd from, Sinks sinks, const std::string& app)
    : loop_{loop}, from_{std::move(from)}, sinks_{std::move(sinks)}
{
    sys::set_nonblocking(from_.get(), true);
    if (sinks_.caller != nullptr && sinks_.caller->is_terminal())
        prefixer_.emplace(app, sinks_.caller->line_end());
    readable_ = loop_.on_io(from_.get(), EPOLLIN, [this](std::uint32_t) { pump(); });
}

void Relay::set_pid(std::uint32_t pid)
{
    if (!prefixer_ || pid == 0)
        return;
    const bool first = !prefixer_->has_pid();
    prefixer_->set_pid(pid);
    if (first && !unnamed_.empty()) {
        held_ += prefixer_->add(std::exchange(unnamed_, {}), sys::monotonic_usec());
        pump();
    }
}

void Relay::finish(std::function<void()> done)
{
    done_ = std::move(done);
    finishing_ = true;
    if (ended_)
        at_end();
    else
        pump();
}

void Relay::pump()
{
    if (waiting_ || ended_)
        return;
    for (int round = 0; round < rounds || finishing_; ++round) {
        if (!hand_on() || !read_more())
            return;
    }
}

// What is held, to the caller; then whether the journal can take more.
bool Relay::hand_on()
{
    const auto resume = [this] {
        waiting_ = false;
        readable_.set_enabled(true);
        pump();
    };
    if (sinks_.caller != nullptr)
        held_.erase(0, sinks_.caller->write(held_, resume));
    waiting_ = !held_.empty() || (sinks_.journal != nullptr && sinks_.journal->is_behind(resume));
    if (waiting_)
        readable_.set_enabled(false);
    return !waiting_;
}

bool Relay::read_more()
{
    std::string bytes(chunk, '\0');
    ssize_t size = 0;
    do
        size = ::read(from_.get(), bytes.data(), bytes.size());
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN && !finishing_)
        return false;
    if (size <= 0) { // end of file; or finishing, and the writers are dead
        at_end();
        return false;
    }
    bytes.resize(static_cast<std::size_t>(size));
    if (sinks_.journal != nullptr)
        sinks_.journal->append(bytes);
    for (const auto& tap : sinks_.taps)
        tap.take(bytes);
    if (sinks_.caller == nullptr)
        return true;
    if (!prefixer_)
        held_ = std::move(bytes);
    else if (prefixer_->has_pid() || unnamed_.size() > chunk)
        held_ = prefixer_->add(bytes, sys::monotonic_usec());
    else
        unnamed_ += bytes;
    return true;
}

void Relay::at_end()
{
    readable_.reset();
    if (!std::exchange(ended_, true)) {
        if (sinks_.journal != nullptr)
            sinks_.journal->complete();
        if (prefixer_) {
            held_ += prefixer_->add(std::exchange(unnamed_, {}), sys::monotonic_usec());
            held_ += prefixer_->finish(sys::monotonic_usec());
        }
        for (const auto& tap : sinks_.taps)
            tap.end();
    }
    if (sinks_.caller != nullptr)
        held_.erase(0, sinks_.caller->write(held_, [this] { at_end(); }));
    if (held_.empty() && done_)
        std::exchange(done_, nullptr)();
}

} // namespace rocket::stage1
