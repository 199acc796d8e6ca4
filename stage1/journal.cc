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

constexpr std::size_t most_in_one_piece = 32U << 10U; // one buffer of unix(7): taken as a whole or not at all
constexpr std::size_t most_owed = 1U << 20U;          // bytes waiting for journald, per stream
// How long journald may take for nothing at all while the pod ends. On a busy machine what is owed takes minutes.
constexpr std::uint64_t stuck_usec = 60'000'000;

} // namespace

// --- one stream -----------------------------------------------------------------------------------------------------

JournalStream::JournalStream(Journal& journal, Source source) : journal_{journal}, source_{std::move(source)}
{
    journal_.streams_.push_back(this);
}

JournalStream::~JournalStream()
{
    std::erase(journal_.streams_, this);
}

void JournalStream::append(std::string_view bytes)
{
    if (journal_.state_ == Journal::State::finished || bytes.empty())
        return;
    if (std::exchange(is_complete_, false))
        sender_.reset();
    backlog_ += bytes;
    in_line_ = bytes.back() != '\n';
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

// identifier, unit, priority, level prefixes, forwarding to syslog, kmsg, console: the stream's first seven lines. Only
// root may name a unit.
void JournalStream::connect()
{
    auto socket = journal_.pod_.connect();
    if (!socket)
        rocket::fail(Error::Kind::system, "journald does not listen");
    ::shutdown(socket->get(), SHUT_RD);
    socket_ = std::move(*socket);
    const auto header = fmt::format("{}\n{}\n{}\n0\n0\n0\n0\n", source_.identifier, source_.unit, source_.priority);
    if (send_as_app(header, 0, 0) != static_cast<ssize_t>(header.size()))
        throw system_error(errno, "writing to journald");
}

// journald wants to know who says something (_PID, _SYSTEMD_UNIT ...), and cannot see us: we say it in the app's name
// as long as the app is alive.
ssize_t JournalStream::send_as_app(std::string_view bytes, uid_t uid, gid_t gid)
{
    if (!sender_)
        sender_ = journal_.pod_.sender(source_.unit);
    iovec data{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()}; // sendmsg(2) does not write
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (*sender_ > 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_CREDENTIALS;
        header->cmsg_len = CMSG_LEN(sizeof(ucred));
        const ucred credentials{.pid = *sender_, .uid = uid, .gid = gid};
        std::memcpy(CMSG_DATA(header), &credentials, sizeof credentials);
    }
    const auto sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || (errno != ESRCH && errno != EPERM) || *sender_ == 0)
        return sent;
    sender_ = 0; // it has ended
    return send_as_app(bytes, uid, gid);
}

// Whole lines, and not more than goes in one piece or not at all: journald would end a line where the sender changes.
std::size_t JournalStream::sendable(std::size_t from) const
{
    const auto piece = std::string_view{backlog_}.substr(from, most_in_one_piece);
    const auto newline = piece.rfind('\n');
    if (newline != std::string_view::npos)
        return newline + 1;
    return is_complete_ || piece.size() == most_in_one_piece ? piece.size() : 0;
}

void JournalStream::complete()
{
    is_complete_ = true;
    if (std::exchange(in_line_, false) && journal_.state_ != Journal::State::finished)
        backlog_ += '\n'; // whoever comes next begins a line of its own
    flush();
}

void JournalStream::flush()
{
    if (backlog_.empty() || !journal_.can_send())
        return;
    bool is_blocked = false;
    try {
        if (!socket_)
            connect();
        std::size_t done = 0;
        while (const auto size = sendable(done)) {
            const auto sent = send_as_app(std::string_view{backlog_}.substr(done, size), source_.uid, source_.gid);
            if (sent > 0) {
                done += static_cast<std::size_t>(sent);
                journal_.on_progress();
            } else if (errno == EAGAIN) {
                is_blocked = true;
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
    if (!is_blocked)
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
    state_ = State::wanted;
    if (!listening_)
        pod_.start();
}

void Journal::on_listening()
{
    listening_ = true;
    for (auto* stream : streams_)
        stream->flush();
}

void Journal::on_running()
{
    running_ = true;
    proceed();
}

void Journal::on_stopped()
{
    if (state_ == State::stopping)
        state_ = State::finished;
    proceed();
}

void Journal::on_reconnected()
{
    if (state_ == State::stopping)
        pod_.stop();
    else if (state_ == State::wanted && !listening_)
        pod_.start();
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
        on_progress();
    proceed();
}

void Journal::on_progress()
{
    if (done_)
        deadline_ = loop_.after(stuck_usec, [this](std::uint32_t) { fail("journald takes nothing any more"); });
}

void Journal::proceed()
{
    if (!done_)
        return;
    const bool all_sent = std::all_of(streams_.begin(), streams_.end(), [](auto* s) { return s->backlog_.empty(); });
    if (state_ == State::wanted && running_ && all_sent) {
        state_ = State::stopping;
        on_progress();
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
