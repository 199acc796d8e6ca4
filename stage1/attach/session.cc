// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/session.hh"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage1/attach/point.hh"

namespace rocket::stage1::attach
{

namespace
{

constexpr std::uint64_t patience_with_slow_usec = 60'000'000;
constexpr Endpoints inputs = Endpoint::input | Endpoint::terminal_in;
constexpr unsigned known = 0x1f; // all endpoints

} // namespace

Session::Session(EventLoop& loop, Fd connection, std::function<Point*(const std::string&)> find,
                 std::function<void(Session&)> over)
    : loop_{loop}, connection_{std::move(connection)}, writer_{sys::duplicate(connection_.get())},
      find_{std::move(find)}, over_{std::move(over)}
{
    readable_ = loop_.on_io(connection_.get(), EPOLLIN, [this](std::uint32_t) { on_readable(); });
    deadline_ = loop_.after(usual_patience_usec, [this](std::uint32_t) { close(); });
}

Session::~Session()
{
    if (point_ != nullptr)
        point_->leave(*this);
}

void Session::on_readable()
{
    char bytes[16U << 10U];
    const auto size = ::recv(connection_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0)
        return close();
    decoder_.add({bytes, static_cast<std::size_t>(size)});
    read_frames();
}

void Session::read_frames()
{
    try {
        while (!finishing_ && !(point_ != nullptr && point_->is_full())) {
            const auto frame = decoder_.next();
            if (!frame)
                break;
            take(*frame);
        }
    } catch (const Error& error) {
        finish(error.innermost());
    }
    if (point_ != nullptr && point_->is_full())
        readable_.set_enabled(false);
}

void Session::resume_input()
{
    if (finishing_ || (attached_ & inputs) == 0)
        return;
    readable_.set_enabled(true);
    read_frames();
}

void Session::take(const Frame& frame)
{
    if (greeted_ == (frame.type == Type::hello))
        fail(Error::Kind::corrupt, "a client says hello first, and once");
    if (frame.type == Type::hello)
        return greet(frame);
    if (!contains(attached_, frame.endpoint))
        fail(Error::Kind::corrupt, "the client is not attached to {}", name_of(frame.endpoint));
    if (frame.type == Type::bytes)
        point_->take_input(frame.payload);
    else if (frame.type == Type::end)
        point_->end_input(*this);
    else
        point_->resize(decode_window(frame.payload));
}

void Session::greet(const Frame& hello)
{
    greeted_ = true;
    deadline_.reset();
    const auto app = hello.payload.substr(1);
    auto* const point = find_(app);
    if (point == nullptr || point->offered() == 0)
        fail(Error::Kind::usage, "app {} has no streams to attach to", text::quoted(app));
    const auto wanted = static_cast<Endpoints>(hello.payload[0]);
    const auto missing = static_cast<Endpoints>(wanted & ~point->offered());
    if ((wanted & ~known) != 0)
        fail(Error::Kind::corrupt, "there is no such endpoint");
    for (const auto endpoint : all_endpoints)
        if (contains(missing, endpoint))
            fail(Error::Kind::usage, "app {} has no {} to attach to", text::quoted(app), name_of(endpoint));
    attached_ = wanted == 0 ? point->offered() : static_cast<Endpoints>(wanted & point->offered());
    send({Type::welcome, Endpoint::none, std::string(1, static_cast<char>(attached_))});
    point_ = point;
    point_->join(*this);
}

void Session::say(Endpoint output, std::string_view bytes)
{
    for (; !bytes.empty() && !finishing_; bytes.remove_prefix(std::min(bytes.size(), max_payload)))
        send({Type::bytes, output, std::string{bytes.substr(0, max_payload)}});
}

void Session::end(Endpoint output)
{
    if (!finishing_)
        send({Type::end, output});
}

void Session::send(const Frame& frame)
{
    unread_.push_back(encode(frame));
    unread_bytes_ += unread_.back().size();
    if (unread_bytes_ <= max_unread)
        return flush();
    // What is half written has to be finished, or what follows could not be understood.
    const auto half = written_ > 0 ? std::min<std::size_t>(1, unread_.size()) : 0;
    std::size_t lost = 0;
    while (unread_.size() > half) {
        lost += unread_.back().size();
        unread_.pop_back();
    }
    unread_bytes_ -= lost;
    finish(fmt::format("too slow: {} bytes that the app has written were not read in time", lost),
           patience_with_slow_usec);
}

void Session::finish(std::string_view why, std::uint64_t patience_usec)
{
    if (std::exchange(finishing_, true))
        return;
    if (point_ != nullptr)
        point_->leave(*this);
    point_ = nullptr;
    readable_.set_enabled(false);
    unread_.push_back(encode(Frame{Type::goodbye, Endpoint::none, std::string{why.substr(0, 4096)}}));
    unread_bytes_ += unread_.back().size();
    deadline_ = loop_.after(patience_usec, [this](std::uint32_t) { close(); });
    flush();
}

void Session::flush()
{
    while (!unread_.empty()) {
        const auto& frame = unread_.front();
        const auto sent =
            ::send(connection_.get(), frame.data() + written_, frame.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            written_ += static_cast<std::size_t>(sent);
        } else if (errno == EAGAIN) {
            if (!writable_)
                writable_ = loop_.on_io(writer_.get(), EPOLLOUT, [this](std::uint32_t) { flush(); });
            return;
        } else if (errno != EINTR) {
            return close();
        }
        if (written_ < frame.size())
            continue;
        unread_bytes_ -= frame.size();
        written_ = 0;
        unread_.pop_front();
    }
    writable_.reset();
    if (finishing_)
        close();
}

void Session::close() noexcept
{
    finishing_ = true;
    if (point_ != nullptr)
        point_->leave(*this);
    point_ = nullptr;
    readable_.reset();
    writable_.reset();
    deadline_.reset();
    connection_.reset();
    writer_.reset();
    unread_.clear();
    if (const auto over = std::exchange(over_, nullptr))
        over(*this);
}

} // namespace rocket::stage1::attach
