// SPDX-License-Identifier: Apache-2.0
// rocket forward: what stands in front of an app that knows nothing of socket activation (cli 9.3). It waits until the
// app listens, and becomes systemd-socket-proxyd(8) in the pod's network, which copies bytes from connection to
// connection, has no privilege, and ends when nobody has been connected for a while.
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <thread>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/serve.hh"
#include "stage0/cli/uuid_args.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/pod/wait.hh"

namespace rocket::cli
{

namespace
{

using pod::Pod;
using pod::State;

constexpr const char* proxy = "/usr/lib/systemd/systemd-socket-proxyd";
constexpr int most_connections = 65536; // the default, 256, is where connections begin to be refused
constexpr std::chrono::milliseconds period{10};

struct Options {
    std::string uuid_file;
    Duration idle{0};
};

void declare(Options& options, FlagSet& flags)
{
    declare_uuid_file(flags, options.uuid_file);
    flags.add("exit-idle-time", options.idle, "end when nobody was connected for so long; 0s: never");
}

void check_is_running(const Pod& pod)
{
    if (pod.state() != State::running)
        fail(Error::Kind::usage, "pod {} isn't currently running", text::quoted(pod.id().str()));
}

// As long as the pod runs, its PID 1 is nobody else.
void join_network(Pod& pod)
{
    const auto pid = pod::read_info(pod, pod::Detail::full).pid;
    if (!pid)
        fail(Error::Kind::corrupt, "the pid of pod {} is not readable", text::quoted(pod.id().str()));
    const auto network = sys::open(AT_FDCWD, fmt::format("/proc/{}/ns/net", *pid), O_RDONLY);
    pod.refresh();
    check_is_running(pod);
    sys::check([&] { return ::setns(network.get(), CLONE_NEWNET); }, "joining the network of pod {}", pod.id().str());
}

bool is_open(const sockaddr* address, socklen_t size)
{
    const Fd socket{::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    return socket && (::connect(socket.get(), address, size) == 0 || errno == EINPROGRESS);
}

// Where somebody listens at this port: apps do at all addresses, or at those of one family.
std::optional<std::string> find_listener(std::uint16_t port)
{
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_open(reinterpret_cast<const sockaddr*>(&four), sizeof four))
        return fmt::format("127.0.0.1:{}", port);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    if (is_open(reinterpret_cast<const sockaddr*>(&six), sizeof six))
        return fmt::format("[::1]:{}", port);
    return {};
}

// No event says that a program has begun to listen; the unit's start-up time ends the waiting, if the pod does not.
std::string wait_for_listener(Pod& pod, std::uint16_t port)
{
    for (;;) {
        if (auto found = find_listener(port))
            return *found;
        pod.refresh();
        check_is_running(pod);
        std::this_thread::sleep_for(period);
    }
}

void become_nobody()
{
    constexpr uid_t nobody = 65534;
    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    sys::check([] { return ::setresgid(nobody, nobody, nobody); }, "changing to nobody's group");
    sys::check([] { return ::setresuid(nobody, nobody, nobody); }, "changing to nobody");
    sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "giving up new privileges");
}

std::uint16_t parse_port(const std::string& word)
{
    const auto port = text::parse_decimal(word, UINT16_MAX);
    if (!port || *port == 0)
        fail(Error::Kind::usage, "{} is not the number of a port", text::quoted(word));
    return static_cast<std::uint16_t>(*port);
}

int run(Invocation& invocation, const Options& options)
{
    const auto& args = invocation.args;
    if (args.size() != (options.uuid_file.empty() ? 2U : 1U))
        throw UsageRequested{};
    const auto port = parse_port(args.back());
    if (options.idle < Duration{0} || options.idle > std::chrono::hours{24})
        fail(Error::Kind::usage, "--exit-idle-time must be from 0s to 24h");
    if (::sd_listen_fds(0) < 1)
        throw Error{Error::Kind::usage, "there are no sockets to take connections from",
                    "start it by a .socket unit, or with systemd-socket-activate(1)"};
    const auto uuid = options.uuid_file.empty() ? args.front() : read_uuid_file(options.uuid_file);
    auto pod = pod::find(model::Layout{invocation.context.data_dir()}, uuid);
    pod::wait_until(pod, [](const Pod& p) { return is_ready(p) || p.state() != State::running; }, {});
    check_is_running(pod);
    join_network(pod);
    const auto listener = wait_for_listener(pod, port);
    become_nobody();
    Words words{fmt::format("--connections-max={}", most_connections), listener};
    if (options.idle > Duration{0})
        words.push_back(
            fmt::format("--exit-idle-time={}us", std::chrono::ceil<std::chrono::microseconds>(options.idle).count()));
    ::sd_notify(0, "READY=1"); // systemd-socket-proxyd of systemd 252 does not
    exec_with_sockets(proxy, std::move(words));
}

} // namespace

Command forward_command()
{
    return command<Options>(
        {.path = {"forward"},
         .arguments = "UUID PORT",
         .purpose = "hand connections on to a port of a pod",
         .description =
             "Takes connections from the sockets that systemd passes to it, and hands them on to an app that "
             "listens at a port\nin the pod, with systemd-socket-proxyd(8): for apps that cannot be handed "
             "sockets. It waits until the pod is\nready and somebody listens. ForwardTo= in a .container file "
             "makes such a service, StopWhenIdle= stops the pod\nas well."},
        declare, run);
}

} // namespace rocket::cli
