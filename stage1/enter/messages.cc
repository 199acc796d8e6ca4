// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/messages.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t longest = 65536;

// First byte of a message: 'e' and an error, 'p' and a pid_t, or 't' with a descriptor.
void send(int socket, const std::string& message)
{
    sys::check([&] { return ::send(socket, message.data(), message.size(), MSG_NOSIGNAL); }, "reporting to the parent");
}

union Control {
    cmsghdr header; // for its alignment
    char bytes[CMSG_SPACE(sizeof(int))];
};

void read_message(Messages& messages, std::string_view text)
{
    if (text.starts_with('e'))
        messages.error = Error::deserialize(text.substr(1));
    pid_t pid = 0;
    if (text.starts_with('p') && text.size() == 1 + sizeof pid) {
        std::memcpy(&pid, text.data() + 1, sizeof pid);
        messages.pid = pid;
    }
}

} // namespace

void send_error(int socket, const Error& error) noexcept
{
    try {
        send(socket, ('e' + error.serialize()).substr(0, longest));
    } catch (const std::exception&) { // the parent is gone, or the filter forbids it: the exit code says the rest
    }
}

void send_pid(int socket, pid_t pid)
{
    std::string message = "p";
    message.append(reinterpret_cast<const char*>(&pid), sizeof pid);
    send(socket, message);
}

void send_terminal(int socket, int master)
{
    char letter = 't';
    iovec data{.iov_base = &letter, .iov_len = 1};
    Control control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    auto* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &master, sizeof master);
    sys::check([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); }, "passing a terminal to the parent");
}

Messages receive_all(int socket)
{
    Messages all;
    std::string buffer(longest, '\0');
    for (;;) {
        iovec data{.iov_base = buffer.data(), .iov_len = buffer.size()};
        Control control{};
        msghdr message{};
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        const auto got =
            sys::check([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); }, "waiting for the command");
        if (got == 0)
            return all;
        read_message(all, {buffer.data(), static_cast<std::size_t>(got)});
        const auto* const header = CMSG_FIRSTHDR(&message);
        if (header != nullptr && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
            all.terminal.reset(fd);
        }
    }
}

} // namespace rocket::stage1
