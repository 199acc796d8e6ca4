// SPDX-License-Identifier: Apache-2.0
// The API service as a program of its own, so that `rocket` does not load gRPC: `rocket api-service` becomes it.
//   api-service LISTEN IDLE-SECONDS DIR SYSTEM-CONFIG LOCAL-CONFIG USER-CONFIG INSECURE-OPTIONS TRUST-KEYS-FROM-HTTPS
// LISTEN is unix://PATH or HOST:PORT, or empty: the sockets that systemd has handed over.
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <cstring>
#include <memory>

#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/api/gate.hh"
#include "stage0/api/service.hh"
#include "stage0/service_main.hh"

namespace
{

using namespace rocket;

constexpr std::string_view unix_prefix = "unix://";
constexpr int other_threads = 16; // those of gRPC, and for calls that are answered at once

Fd bind_and_listen(int family, const sockaddr* name, socklen_t size, const std::string& where)
{
    Fd socket{sys::check([&] { return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }, "making a socket")};
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sys::check([&] { return ::bind(socket.get(), name, size); }, "binding {}", where);
    sys::check([&] { return ::listen(socket.get(), SOMAXCONN); }, "listening at {}", where);
    return socket;
}

// What a service that was killed has left; nothing else that lies there is taken away.
void make_way(const std::string& path, const sockaddr_un& name)
{
    const auto found = sys::stat_if_exists(AT_FDCWD, path);
    if (!found)
        return;
    if (!S_ISSOCK(found->st_mode))
        fail(Error::Kind::usage, "{} is there, and is no socket", text::quoted(path));
    const Fd probe{sys::check([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }, "making a socket")};
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0)
        fail(Error::Kind::busy, "another service listens at {}", text::quoted(path));
    sys::unlink_if_exists(AT_FDCWD, path);
}

Fd listen_unix(const std::string& path)
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (!path.starts_with('/') || path.size() >= sizeof name.sun_path)
        fail(Error::Kind::usage, "{} is no absolute path of a socket", text::quoted(path));
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    if (const auto slash = path.rfind('/'); slash > 0)
        sys::make_dirs(path.substr(0, slash), 0755);
    make_way(path, name);
    const auto mask = ::umask(0); // who may ask is checked at each connection
    auto socket = bind_and_listen(AF_UNIX, reinterpret_cast<const sockaddr*>(&name), sizeof name, path);
    ::umask(mask);
    return socket;
}

std::vector<Fd> listen_tcp(const std::string& where)
{
    const auto colon = where.rfind(':');
    if (colon == std::string::npos || colon == 0)
        fail(Error::Kind::usage, "{} is neither unix://PATH nor HOST:PORT", text::quoted(where));
    const auto port = where.substr(colon + 1);
    if (text::parse_decimal(port, UINT16_MAX).value_or(0) == 0) // getaddrinfo(3) takes it modulo 65536
        fail(Error::Kind::usage, "{}: {} is no port", text::quoted(where), text::quoted(port));
    auto host = where.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found); error != 0)
        fail(Error::Kind::usage, "{}: {}", text::quoted(where), ::gai_strerror(error));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, ::freeaddrinfo};
    std::vector<Fd> sockets;
    for (const auto* each = found; each != nullptr; each = each->ai_next)
        sockets.push_back(bind_and_listen(each->ai_family, each->ai_addr, each->ai_addrlen, where));
    return sockets;
}

std::vector<Fd> open_sockets(const std::string& where)
{
    const int handed = ::sd_listen_fds(1);
    if (handed > 0 && !where.empty())
        fail(Error::Kind::usage,
             "Failed to open sockets: started under systemd.socket(5), but --listen passed! Quitting.");
    std::vector<Fd> sockets;
    for (int socket = 0; socket < handed; ++socket)
        sockets.emplace_back(SD_LISTEN_FDS_START + socket);
    if (handed > 0) {
        log::print("Listening on {} systemd-provided socket(s)", handed);
        return sockets;
    }
    if (where.starts_with(unix_prefix))
        sockets.push_back(listen_unix(where.substr(unix_prefix.size())));
    else
        sockets = listen_tcp(where);
    log::print("Listening on {}", where);
    return sockets;
}

v1alpha::GlobalFlags flags_from(char** words)
{
    v1alpha::GlobalFlags flags;
    flags.set_dir(words[0]);
    flags.set_system_config_dir(words[1]);
    flags.set_local_config_dir(words[2]);
    flags.set_user_config_dir(words[3]);
    flags.set_insecure_flags(words[4]);
    flags.set_trust_keys_from_https(std::strcmp(words[5], "true") == 0);
    return flags;
}

// Whoever may look at pods by themselves; only root, if there is no such directory yet.
gid_t group_of(const std::string& data)
{
    const auto info = sys::stat_if_exists(AT_FDCWD, data, 0);
    return info ? info->st_gid : 0;
}

int serve(int argc, char** argv)
{
    constexpr int words = 9;
    const auto idle = argc == words ? text::parse_decimal(argv[2], 86400) : std::nullopt;
    if (!idle)
        fail(Error::Kind::usage, "api-service is started by `rocket api-service`");
    const auto signals = end_signals();

    log::print("API service starting...");
    const auto flags = flags_from(argv + 3);
    auto sockets = open_sockets(argv[1]);
    api::Service service{model::Layout{flags.dir()}, flags};
    grpc::ServerBuilder builder;
    grpc::ResourceQuota quota;
    quota.SetMaxThreads(api::Service::most_streams + other_threads);
    builder.SetResourceQuota(quota);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    if (!server)
        fail(Error::Kind::system, "gRPC does not start");
    ::sd_notify(0, "READY=1");
    log::print("API service running");
    api::Gate gate{std::move(sockets), group_of(flags.dir()),
                   [&](Fd connection) { grpc::AddInsecureChannelFromFd(server.get(), connection.release()); }};
    gate.run(signals.get(), *idle > 0 ? std::optional{std::chrono::seconds{*idle}} : std::nullopt);
    ::sd_notify(0, "STOPPING=1");
    log::print("API service exiting...");
    server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds{1});
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    return service_main("api-service", serve, argc, argv);
}
