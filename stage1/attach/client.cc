// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/client.hh"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1::attach
{

RawTerminal::RawTerminal()
{
    sys::check([&] { return ::tcgetattr(STDIN_FILENO, &before_); }, "reading the mode of the terminal");
    auto raw = before_;
    ::cfmakeraw(&raw);
    sys::check([&] { return ::tcsetattr(STDIN_FILENO, TCSANOW, &raw); }, "setting the mode of the terminal");
}

RawTerminal::~RawTerminal()
{
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

Client::Client(Fd connection, const Options& options)
    : connection_{std::move(connection)}, options_{options}, keys_{options.detach_keys}
{
}

void Client::send(const Frame& frame)
{
    const auto bytes = encode(frame);
    std::string_view rest{bytes};
    while (!rest.empty()) {
        const auto sent = ::send(connection_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent > 0)
            rest.remove_prefix(static_cast<std::size_t>(sent));
        else if (errno == EPIPE || errno == ECONNRESET)
            return; // why, we shall read
        else if (errno != EINTR)
            throw system_error(errno, "writing to the pod's supervisor");
    }
}

// What has arrived, or arrives next; nothing at the end.
std::optional<Frame> Client::receive()
{
    for (;;) {
        if (auto frame = decoder_.next())
            return frame;
        char bytes[16U << 10U];
        const auto size = ::recv(connection_.get(), bytes, sizeof bytes, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return std::nullopt;
        decoder_.add({bytes, static_cast<std::size_t>(size)});
    }
}

Endpoints Client::greet()
{
    send({Type::hello, Endpoint::none, std::string(1, static_cast<char>(options_.wanted)) + options_.app});
    const auto answer = receive();
    if (!answer)
        fail(Error::Kind::busy, "the pod's supervisor has closed the connection");
    if (answer->type == Type::goodbye)
        fail(Error::Kind::usage, "{}", text::printable(answer->payload));
    if (answer->type != Type::welcome)
        fail(Error::Kind::corrupt, "the pod's supervisor did not say what we are attached to");
    return attached_ = static_cast<Endpoints>(answer->payload[0]);
}

Endpoint Client::input() const noexcept
{
    for (const auto one : {Endpoint::terminal_in, Endpoint::input})
        if (contains(attached_, one))
            return one;
    return Endpoint::none;
}

void Client::send_window()
{
    winsize size{};
    if (raw_ && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        send({Type::window, Endpoint::terminal_in, encode(Window{size.ws_row, size.ws_col})});
}

bool Client::on_signal(int signals)
{
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof info) != sizeof info)
        return true;
    if (info.ssi_signo != SIGWINCH)
        return false;
    send_window();
    return true;
}

bool Client::on_input()
{
    char bytes[16U << 10U];
    const auto size = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (size <= 0) {
        reads_input_ = false;
        if (input() == Endpoint::input)
            send({Type::end, Endpoint::input});
        return (attached_ & ~(Endpoint::input | Endpoint::terminal_in)) != 0; // else there is nothing left to do
    }
    const std::string_view typed{bytes, static_cast<std::size_t>(size)};
    const auto on = ::isatty(STDIN_FILENO) == 1 ? keys_.typed(typed) : std::string{typed};
    if (!on.empty())
        send({Type::bytes, input(), on});
    return !keys_.detached();
}

bool Client::take(const Frame& frame)
{
    if (frame.type == Type::goodbye && !frame.payload.empty())
        fail(Error::Kind::busy, "sent away by the pod's supervisor: {}", text::printable(frame.payload));
    if (frame.type == Type::bytes)
        sys::write_all(frame.endpoint == Endpoint::error ? STDERR_FILENO : STDOUT_FILENO, frame.payload);
    return frame.type != Type::goodbye;
}

bool Client::on_frames()
{
    auto frame = receive();
    if (!frame)
        fail(Error::Kind::busy, "the pod's supervisor has ended");
    return take(*frame) && take_what_is_here();
}

bool Client::take_what_is_here()
{
    while (const auto frame = decoder_.next())
        if (!take(*frame))
            return false;
    return true;
}

void Client::run(int signals)
{
    reads_input_ = input() != Endpoint::none;
    if (input() == Endpoint::terminal_in && ::isatty(STDIN_FILENO) == 1)
        raw_.emplace();
    send_window();
    if (!take_what_is_here()) // came with the greeting
        return;
    for (;;) {
        pollfd ready[] = {{.fd = connection_.get(), .events = POLLIN, .revents = 0},
                          {.fd = signals, .events = POLLIN, .revents = 0},
                          {.fd = reads_input_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
        if (::poll(ready, std::size(ready), -1) < 0 && errno != EINTR)
            throw system_error(errno, "waiting for the app");
        if ((ready[0].revents != 0 && !on_frames()) || (ready[1].revents != 0 && !on_signal(signals)) ||
            (ready[2].revents != 0 && !on_input()))
            return;
    }
}

} // namespace rocket::stage1::attach
