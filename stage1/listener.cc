// SPDX-License-Identifier: Apache-2.0
#include "stage1/listener.hh"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

// Below /proc/self/fd, because a pod directory can have a longer path than a socket address.
sockaddr_un address_of(int pod_dir, const std::string& name)
{
    const auto path = sys::proc_path(pod_dir) + '/' + name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        fail(Error::Kind::system, "socket name {} is too long", text::quoted(name));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Fd new_socket(int flags)
{
    return Fd{sys::check([&] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0); }, "making a socket")};
}

bool is_root(int connection)
{
    ucred who{};
    socklen_t size = sizeof who;
    return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == 0;
}

} // namespace

Listener::Listener(EventLoop& loop, int pod_dir, const std::string& name, std::function<void(Fd)> accepted)
    : socket_{new_socket(SOCK_NONBLOCK)}, accepted_{std::move(accepted)}
{
    constexpr int backlog = 64;
    const auto address = address_of(pod_dir, name);
    sys::unlink_if_exists(pod_dir, name); // of an earlier start of the same pod
    const auto umask = ::umask(0177);
    const int bound = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::umask(umask);
    if (bound != 0)
        throw system_error(errno, fmt::format("binding socket {} in the pod directory", text::quoted(name)));
    sys::check([&] { return ::listen(socket_.get(), backlog); }, "listening on {}", text::quoted(name));
    incoming_ = loop.on_io(socket_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

void Listener::accept()
{
    Fd connection{::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (connection && is_root(connection.get())) // else: it is gone again, or we have no descriptor left for it
        accepted_(std::move(connection));
}

Fd connect_to_supervisor(int pod_dir, const std::string& name)
{
    auto socket = new_socket(0);
    const auto address = address_of(pod_dir, name);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw Error{Error::Kind::not_found,
                    "the pod's supervisor does not listen: the pod is not running, or only just "
                    "starting"};
    return socket;
}

} // namespace rocket::stage1
