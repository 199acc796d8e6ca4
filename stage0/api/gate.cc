// SPDX-License-Identifier: Apache-2.0
#include "stage0/api/gate.hh"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"

namespace rocket::api
{

namespace
{

constexpr std::size_t most_connections = 256;

bool is_unix(int socket)
{
    int family = 0;
    socklen_t size = sizeof family;
    return ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

std::vector<gid_t> groups_of_peer(int socket)
{
    constexpr std::size_t most = 65536; // NGROUPS_MAX
    std::vector<gid_t> groups(most);
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0)
        size = 0;
    groups.resize(size / sizeof(gid_t));
    return groups;
}

} // namespace

Gate::Gate(std::vector<Fd> listening, gid_t group, std::function<void(Fd)> let_in)
    : listening_{std::move(listening)}, group_{group}, let_in_{std::move(let_in)}
{
    for (const auto& socket : listening_)
        sys::set_nonblocking(socket.get(), true);
}

bool Gate::may_enter(int connection) const
{
    if (!is_unix(connection))
        return true;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    if (peer.uid == 0 || peer.gid == group_)
        return true;
    const auto groups = groups_of_peer(connection);
    if (std::ranges::find(groups, group_) != groups.end())
        return true;
    log::print("refused user {}: neither root nor in the group of the data directory", peer.uid);
    return false;
}

void Gate::accept(int listening)
{
    Fd connection{::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!connection || !may_enter(connection.get()))
        return; // gone already, or not welcome
    if (connections_.size() >= most_connections)
        return log::print("refused a connection: there are {} already", connections_.size());
    connections_.push_back(sys::duplicate(connection.get()));
    let_in_(std::move(connection));
}

void Gate::run(int signals, std::optional<std::chrono::milliseconds> idle)
{
    for (;;) {
        std::vector<pollfd> fds{{.fd = signals, .events = POLLIN, .revents = 0}};
        for (const auto& socket : listening_)
            fds.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
        const auto first_connection = fds.size();
        for (const auto& connection : connections_)
            fds.push_back({.fd = connection.get(), .events = POLLRDHUP, .revents = 0});
        const bool is_idle = connections_.empty() && idle;
        const int ready = ::poll(fds.data(), fds.size(), is_idle ? static_cast<int>(idle->count()) : -1);
        if (ready < 0 && errno != EINTR)
            throw system_error(errno, "waiting for connections");
        if (fds.front().revents != 0 || (ready == 0 && is_idle))
            return;
        for (auto at = fds.size(); at-- > first_connection;) // from the end: erasing moves what follows
            if (fds[at].revents != 0)
                connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(at - first_connection));
        for (std::size_t at = 1; at < first_connection; ++at)
            if (fds[at].revents != 0)
                accept(fds[at].fd);
    }
}

} // namespace rocket::api
