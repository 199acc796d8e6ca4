// SPDX-License-Identifier: Apache-2.0
#include "stage1/journal.hh"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "common/sys/error.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t most_owed = 1U << 20U;              // bytes waiting for journald, per stream
constexpr std::uint64_t finish_timeout_usec = 10'000'000; // for all of finish()

} // namespace

// --- one stream -----------------------------------------------------------------------------------------------------

// identifier, unit, priority, level prefixes, forwarding to syslog, kmsg, console: the stream's first seven lines.
JournalStream::JournalStream(Journal& journal, std::string identifier, std::string unit, int priority)
    : journal_{journal}, header_{fmt::format("{}\n{}\n{}\n0\n0\n0\n0\n", identifier, unit, priority)}
{
    journal_.streams_.push_back(this);
}

void JournalStream::append(std::string_view bytes)
{
    if (journal_.state_ == Journal::State::finished)
        return;
    backlog_ += bytes;
    journal_.need();
    flush();
}

bool JournalStream::is_behind(std::function<void()> resume)
{
    if (backlog_.size() < most_owed)
        return false;
    resume_ = std::move(resume);
    return true;
}

void JournalStream::connect()
{
    auto socket = journal_.pod_.connect();
    if (!socket)
        rocket::fail(Error::Kind::system, "journald does not listen");
    ::shutdown(socket->get(), SHUT_RD);
    socket_ = std::move(*socket);
    backlog_.insert(0, header_);
}

void JournalStream::flush()
{
    using State = Journal::State;
    if (backlog_.empty() || journal_.state_ < State::listening || journal_.state_ == State::finished)
        return;
    try {
        if (!socket_)
            connect();
        std::size_t done = 0;
        while (done < backlog_.size()) {
            const auto sent =
                ::send(socket_.get(), backlog_.data() + done, backlog_.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent > 0) {
                done += static_cast<std::size_t>(sent);
            } else if (errno == EAGAIN) {
                break;
            } else if (errno != EINTR) {
                throw system_error(errno, "writing to journald");
            }
        }
        backlog_.erase(0, done);
    } catch (const Error& error) {
        journal_.fail(error.what());
        return;
    }
    if (backlog_.empty())
        writable_.reset();
    else if (!writable_)
        writable_ = journal_.loop_.on_io(socket_.get(), EPOLLOUT, [this](std::uint32_t) { flush(); });
    if (resume_ && backlog_.size() < most_owed)
        std::exchange(resume_, nullptr)();
    journal_.proceed();
}

void JournalStream::give_up()
{
    writable_.reset();
    socket_.reset();
    backlog_.clear();
    if (resume_)
        std::exchange(resume_, nullptr)();
}

// --- all of them ----------------------------------------------------------------------------------------------------

void Journal::need()
{
    if (state_ != State::unused)
        return;
    state_ = State::starting;
    pod_.start();
    if (listens_)
        on_listening();
}

void Journal::on_listening()
{
    listens_ = true;
    if (state_ != State::starting)
        return;
    state_ = State::listening;
    for (auto* stream : streams_)
        stream->flush();
}

void Journal::on_running()
{
    if (state_ != State::listening)
        return;
    state_ = State::running;
    proceed();
}

void Journal::on_stopped()
{
    if (state_ == State::stopping)
        state_ = State::finished;
    proceed();
}

void Journal::fail(const std::string& why)
{
    if (state_ == State::finished)
        return;
    pod_.warn(why);
    abandon();
}

void Journal::abandon()
{
    if (state_ == State::finished)
        return;
    state_ = State::finished;
    for (auto* stream : streams_)
        stream->give_up();
    proceed();
}

void Journal::finish(std::function<void()> done)
{
    done_ = std::move(done);
    if (state_ == State::unused)
        state_ = State::finished;
    else
        deadline_ = loop_.after(finish_timeout_usec, [this](std::uint32_t) { fail("journald takes too long"); });
    proceed();
}

void Journal::proceed()
{
    if (!done_)
        return;
    const bool all_sent = std::all_of(streams_.begin(), streams_.end(), [](auto* s) { return s->backlog_.empty(); });
    if (state_ == State::running && all_sent) {
        state_ = State::stopping;
        for (auto* stream : streams_)
            stream->socket_.reset(); // end of file: journald takes an unfinished line, too
        pod_.stop();
    }
    if (state_ == State::finished) {
        deadline_.reset();
        std::exchange(done_, nullptr)();
    }
}

} // namespace rocket::stage1
