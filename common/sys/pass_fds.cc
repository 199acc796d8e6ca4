// SPDX-License-Identifier: Apache-2.0
#include "common/sys/pass_fds.hh"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket
{

namespace
{

constexpr std::size_t message_limit = 65536;
constexpr std::string_view opened = "o", failed = "e"; // first byte of what the child has to say

union Control {
    cmsghdr header; // for its alignment
    char bytes[CMSG_SPACE(sizeof(int) * most_passed_fds)];
};

std::vector<Fd> fds_of(const msghdr& message)
{
    std::vector<Fd> fds;
    const auto* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return fds;
    for (std::size_t at = 0; at + sizeof(int) <= header->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
        fds.emplace_back(fd);
    }
    return fds;
}

// The child's whole life.
[[noreturn]] void open_and_send(const std::function<std::vector<Fd>()>& open, int socket) noexcept
{
    try {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const auto fds = open();
        send_fds(socket, opened, fds);
        ::_exit(0);
    } catch (const Error& error) {
        send_fds(socket, (std::string{failed} + error.serialize()).substr(0, message_limit), {});
    } catch (const std::exception& error) {
        send_fds(socket, std::string{failed} + Error{Error::Kind::system, error.what()}.serialize(), {});
    }
    ::_exit(254);
}

} // namespace

void send_fds(int socket, std::string_view text, std::span<const Fd> fds)
{
    if (fds.size() > most_passed_fds)
        fail(Error::Kind::system, "{} descriptors are too many for one message", fds.size());
    iovec data{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()}; // sendmsg(2) does not write
    Control control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        for (std::size_t i = 0; i < fds.size(); ++i) {
            const int fd = fds[i].get();
            std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
        }
    }
    sys::check([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); }, "passing descriptors on");
}

std::optional<ReceivedFds> receive_fds(int socket, std::size_t text_limit)
{
    ReceivedFds received{.text = std::string(text_limit, '\0'), .fds = {}};
    iovec data{.iov_base = received.text.data(), .iov_len = received.text.size()};
    Control control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    const auto got = sys::check([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); }, "receiving descriptors");
    received.fds = fds_of(message);
    if (got == 0)
        return std::nullopt;
    if ((message.msg_flags & MSG_CTRUNC) != 0)
        fail(Error::Kind::system, "descriptors were lost on their way: too many are open");
    received.text.resize(static_cast<std::size_t>(got));
    return received;
}

std::vector<Fd> open_in_child(const std::function<std::vector<Fd>()>& open)
{
    auto sockets = sys::make_socket_pair(SOCK_SEQPACKET);
    const pid_t pid = sys::check([] { return ::fork(); }, "starting a process that opens files");
    if (pid == 0) {
        sockets.first.reset();
        open_and_send(open, sockets.second.get());
    }
    Process child{pid, open_pidfd(pid).value_or(Fd{})};
    sockets.second.reset();
    auto answer = receive_fds(sockets.first.get(), message_limit);
    child.wait();
    if (!answer)
        fail(Error::Kind::system, "the process that was to open files died");
    if (answer->text.starts_with(failed))
        throw Error::deserialize(std::string_view{answer->text}.substr(failed.size()));
    return std::move(answer->fds);
}

} // namespace rocket
