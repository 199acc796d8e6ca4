// SPDX-License-Identifier: Apache-2.0
#include "stage1/channel.hh"

#include <poll.h>
#include <sys/socket.h>

#include <cstring>

#include "common/sys/pass_fds.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

enum class Type : char { app = 'a', error = 'e' };

struct Header {
    Type type;
    std::uint32_t size;
};

void send_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto sent = sys::check([&] { return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); },
                                     "reporting to the supervisor");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void send_message(int fd, Type type, std::string_view payload)
{
    const Header header{type, static_cast<std::uint32_t>(payload.size())};
    std::string bytes(sizeof header, '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    send_all(fd, bytes);
    send_all(fd, payload);
}

// False at the end of what there is: of the stream, or with MSG_DONTWAIT of what has arrived.
bool receive_exactly(int fd, char* buffer, std::size_t size, int flags)
{
    while (size > 0) {
        const auto got = ::recv(fd, buffer, size, flags);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        buffer += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

struct Message {
    Type type;
    std::string payload;
};

std::optional<Message> receive_message(int fd, int flags)
{
    Header header{};
    if (!receive_exactly(fd, reinterpret_cast<char*>(&header), sizeof header, flags))
        return std::nullopt;
    Message message{.type = header.type, .payload = std::string(header.size, '\0')};
    if (!receive_exactly(fd, message.payload.data(), header.size, 0)) // it follows at once
        return std::nullopt;
    return message;
}

} // namespace

void Channel::go(std::span<const Fd> fds) const noexcept
{
    try {
        send_fds(end_.get(), "g", fds);
    } catch (const Error&) { // a child that is gone has said why, or will be seen to have said nothing
    }
}

AppSpec Channel::receive_one() const
{
    const auto message = receive_message(end_.get(), 0);
    if (!message)
        fail(Error::Kind::system, "the process of the app ended while it was being set up");
    if (message->type == Type::error)
        throw Error::deserialize(message->payload);
    return app_spec_from_json(message->payload);
}

std::vector<AppSpec> Channel::receive(std::size_t apps) const
{
    std::vector<AppSpec> specs;
    while (const auto message = receive_message(end_.get(), 0)) {
        if (message->type == Type::error)
            throw Error::deserialize(message->payload);
        specs.push_back(app_spec_from_json(message->payload));
    }
    if (specs.size() != apps)
        fail(Error::Kind::system, "the process that sets it up has ended early");
    return specs;
}

std::optional<Error> Channel::error_if_any() const
{
    while (const auto message = receive_message(end_.get(), MSG_DONTWAIT))
        if (message->type == Type::error)
            return Error::deserialize(message->payload);
    return std::nullopt;
}

std::vector<Fd> Channel::wait_for_go() const
{
    auto word = receive_fds(end_.get(), 1);
    if (!word)
        fail(Error::Kind::system, "the supervisor is gone");
    return std::move(word->fds);
}

bool Channel::parent_is_gone() const noexcept
{
    pollfd end{.fd = end_.get(), .events = 0, .revents = 0};
    return ::poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0;
}

void Channel::send(const AppSpec& app) const
{
    send_message(end_.get(), Type::app, to_json(app));
}

void Channel::send(const Error& error) const noexcept
{
    try {
        send_message(end_.get(), Type::error, error.serialize());
    } catch (...) { // the supervisor is gone, and nobody left to tell
    }
}

ChannelPair make_channel()
{
    auto pair = sys::make_socket_pair(SOCK_STREAM);
    return {Channel{std::move(pair.first)}, Channel{std::move(pair.second)}};
}

} // namespace rocket::stage1
