// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/messages.hh"

#include <cstring>
#include <string>
#include <utility>

#include "common/sys/pass_fds.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t longest = 65536;

// First byte of a message: 'e' and an error, 'p' and a pid_t, or 't' with a descriptor.
void send(int socket, const std::string& message)
{
    send_fds(socket, message, {});
}

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

void send_terminal(int socket, const Fd& master)
{
    send_fds(socket, "t", {&master, 1});
}

Messages receive_all(int socket)
{
    Messages all;
    while (auto received = receive_fds(socket, longest)) {
        read_message(all, received->text);
        if (!received->fds.empty())
            all.terminal = std::move(received->fds.front());
    }
    return all;
}

} // namespace rocket::stage1
