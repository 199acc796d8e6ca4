// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/packet.hh"

#include <sys/socket.h>

#include <cstring>

#include "common/sys/sys.hh"

namespace rocket::fetch
{

namespace
{

union Control {
    cmsghdr header; // for its alignment
    char bytes[CMSG_SPACE(sizeof(int))];
};

Fd take_fd(msghdr& message)
{
    Fd fd;
    for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        int number = -1;
        std::memcpy(&number, CMSG_DATA(control), sizeof number);
        fd.reset(number);
    }
    return fd;
}

} // namespace

bool send_packet(int socket, std::string_view bytes, int fd)
{
    iovec content{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()}; // sendmsg does not write
    Control control{};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    for (;;) {
        if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == EAGAIN)
            return false;
        if (errno != EINTR)
            throw system_error(errno, "talking to the downloader");
    }
}

std::optional<Packet> receive_packet(int socket, std::size_t limit)
{
    Packet packet;
    packet.bytes.resize(limit);
    iovec content{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
    Control control{};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t size = 0;
    do
        size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN)
        return std::nullopt;
    if (size < 0 && errno != ECONNRESET)
        throw system_error(errno, "listening to the downloader");
    packet.fd = take_fd(message);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        fail(Error::Kind::corrupt, "a message of a worker is too long");
    packet.bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return packet;
}

} // namespace rocket::fetch
