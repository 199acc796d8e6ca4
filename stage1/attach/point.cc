// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/point.hh"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/sys/sys.hh"
#include "stage1/attach/session.hh"

namespace rocket::stage1::attach
{

namespace
{

constexpr std::size_t most_pending_input = 64U << 10U;

} // namespace

Point::~Point()
{
    for (auto* session : sessions_) {
        session->forget_point();
        session->finish("the app is not part of the pod any more");
    }
}

void Point::begin(Endpoints offered, Fd input, Fd terminal)
{
    offered_ = offered;
    ended_ = 0;
    over_ = false;
    said_.clear();
    pending_input_.clear();
    input_ends_ = false;
    input_ready_.reset();
    terminal_ = std::move(terminal);
    input_ = contains(offered, Endpoint::terminal_in) ? sys::duplicate(terminal_.get()) : std::move(input);
    if (input_)
        sys::set_nonblocking(input_.get(), true);
}

void Point::say(Endpoint output, std::string_view bytes)
{
    said_[output].add(bytes);
    for (auto* session : std::vector{sessions_}) // one that is dropped leaves meanwhile
        if (contains(session->attached(), output))
            session->say(output, bytes);
}

void Point::end(Endpoint output)
{
    ended_ = with(ended_, output);
    for (auto* session : std::vector{sessions_})
        if (contains(session->attached(), output))
            session->end(output);
}

void Point::end_all()
{
    over_ = true;
    give_up_input();
    terminal_.reset();
    for (auto* session : std::vector{sessions_})
        session->finish("");
}

void Point::join(Session& session)
{
    sessions_.push_back(&session);
    for (const auto& [output, history] : said_) {
        if (!contains(session.attached(), output))
            continue;
        const auto recent = history.recent();
        for (std::size_t at = 0; at < recent.size(); at += max_payload)
            session.say(output, std::string_view{recent}.substr(at, max_payload));
    }
    for (const auto output : all_endpoints)
        if (contains(ended_ & session.attached(), output))
            session.end(output);
    if (over_)
        session.finish("");
}

void Point::leave(Session& session) noexcept
{
    std::erase(sessions_, &session);
}

bool Point::is_full() const noexcept
{
    return pending_input_.size() >= most_pending_input;
}

void Point::take_input(std::string_view bytes)
{
    if (!input_ || input_ends_)
        return; // nobody reads it any more
    pending_input_ += bytes;
    if (!input_ready_)
        flush_input();
}

// The app sees the end of its input when nobody else could give it more.
void Point::end_input(const Session& by)
{
    const bool others = std::ranges::any_of(sessions_, [&](const Session* session) {
        return session != &by && contains(session->attached(), Endpoint::input);
    });
    if (others || !input_)
        return;
    input_ends_ = true;
    if (!input_ready_)
        flush_input();
}

void Point::flush_input()
{
    const bool was_full = is_full();
    while (!pending_input_.empty()) {
        const auto written = ::write(input_.get(), pending_input_.data(), pending_input_.size());
        if (written > 0) {
            pending_input_.erase(0, static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            if (!input_ready_)
                input_ready_ = loop_.on_io(input_.get(), EPOLLOUT, [this](std::uint32_t) { flush_input(); });
            break;
        } else if (errno != EINTR) { // the app has closed it
            give_up_input();
        }
    }
    if (pending_input_.empty()) {
        input_ready_.reset();
        if (input_ends_)
            input_.reset();
    }
    if (was_full && !is_full())
        for (auto* session : std::vector{sessions_})
            session->resume_input();
}

void Point::give_up_input()
{
    input_ready_.reset();
    input_.reset();
    pending_input_.clear();
}

void Point::resize(Window window) const noexcept
{
    const winsize size{.ws_row = window.rows, .ws_col = window.columns, .ws_xpixel = 0, .ws_ypixel = 0};
    if (terminal_)
        ::ioctl(terminal_.get(), TIOCSWINSZ, &size); // the kernel tells the app (SIGWINCH)
}

} // namespace rocket::stage1::attach
