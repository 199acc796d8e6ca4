// SPDX-License-Identifier: Apache-2.0
// The program behind rocket-users.socket: gives the ids of a range to the user namespace of whoever connects, its user
// as root and the rest as what nobody else has; then shows it the images of the host's store, keeps those that it says
// it uses, and has its pod named by machined (peer.hh). It runs as root. Each connection has a process, which costs
// little while it waits, and none can hold another up; it ends when there was none for a while.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "common/model/own_users.hh"
#include "common/sys/log.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "config.hh"
#include "stage0/service_main.hh"
#include "stage0/users/peer.hh"

namespace
{

using namespace rocket;

constexpr int idle_ms = 30'000;
constexpr std::size_t most = 1024;          // connections at a time: the others wait until one ends
constexpr std::ptrdiff_t most_of_one = 128; // of one user, who may not keep the others waiting

struct Connection {
    uid_t uid;
    Process process;
};

Fd listening_socket()
{
    if (::sd_listen_fds(1) != 1 || ::sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, nullptr, 0) <= 0)
        fail(Error::Kind::usage, "rocket-users.socket starts this program, with its socket");
    return Fd{SD_LISTEN_FDS_START};
}

// The process's whole life.
[[noreturn]] void serve_alone(int socket) noexcept
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        users::serve_peer(socket, model::Layout{ROCKET_DATA_DIR});
        ::_exit(0);
    } catch (const Error& error) {
        log::error(error);
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    ::_exit(1);
}

class Service
{
public:
    explicit Service(Fd listening) : listening_{std::move(listening)} {}

    // Until `signals` (a signalfd) is readable, or nobody was there for idle_ms.
    void run(int signals)
    {
        while (wait(signals)) {
            std::erase_if(connections_, [](Connection& one) { return one.process.wait_for(0).has_value(); });
            if (!is_wanted_)
                continue;
            try {
                accept();
            } catch (const Error& error) { // that one's loss: the others are served on
                log::error(error);
            }
        }
    }

private:
    bool wait(int signals)
    {
        std::vector<pollfd> all{{.fd = signals, .events = POLLIN, .revents = 0}};
        all.push_back({.fd = connections_.size() < most ? listening_.get() : -1, .events = POLLIN, .revents = 0});
        for (const auto& one : connections_)
            all.push_back({.fd = one.process.pidfd(), .events = POLLIN, .revents = 0});
        const int ready = sys::check(
            [&] { return ::poll(all.data(), all.size(), connections_.empty() ? idle_ms : -1); }, "waiting for users");
        is_wanted_ = all[1].revents != 0;
        return ready > 0 && all[0].revents == 0;
    }

    void accept()
    {
        const Fd socket{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (socket.get() < 0)
            return; // who has left again
        const auto uid = users::credentials_of(socket.get()).uid;
        if (std::ranges::count(connections_, uid, &Connection::uid) >= most_of_one) {
            ::shutdown(socket.get(), SHUT_RD);
            send_fds(socket.get(), fmt::format("user {} has {} starts of pods going on already", uid, most_of_one), {});
            return;
        }
        const pid_t pid = sys::check([] { return ::fork(); }, "starting a process for a user");
        if (pid == 0)
            serve_alone(socket.get());
        connections_.push_back({uid, Process{pid, open_pidfd(pid).value_or(Fd{})}});
    }

    Fd listening_;
    std::vector<Connection> connections_;
    bool is_wanted_ = false;
};

int serve(int, char**)
{
    const auto signals = end_signals();
    Service{listening_socket()}.run(signals.get());
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    return service_main("map-ids", serve, argc, argv);
}
