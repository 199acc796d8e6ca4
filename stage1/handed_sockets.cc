// SPDX-License-Identifier: Apache-2.0
#include "stage1/handed_sockets.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage1/unit_properties.hh"

namespace rocket::stage1
{

namespace
{

using text::quoted;

constexpr int first_descriptor = SD_LISTEN_FDS_START;
// A unit that is up and does nothing: what comes in before the app is there must not start anything.
constexpr const char* holder = "rocket-sockets.service";

template <typename Value>
Value option(int fd, int name)
{
    Value value{};
    socklen_t size = sizeof value;
    sys::check([&] { return ::getsockopt(fd, SOL_SOCKET, name, &value, &size); }, "looking at descriptor {}", fd);
    return value;
}

const char* directive_for(int type)
{
    switch (type) {
    case SOCK_STREAM:
        return "ListenStream";
    case SOCK_DGRAM:
        return "ListenDatagram";
    case SOCK_SEQPACKET:
        return "ListenSequentialPacket";
    default:
        fail(Error::Kind::usage, "sockets of type {} cannot be handed to an app", type);
    }
}

// A path in a unit file. Other than these characters would have to be quoted.
std::string unix_address(const sockaddr_un& address, socklen_t size)
{
    const auto length = size - offsetof(sockaddr_un, sun_path);
    std::string path{address.sun_path, length};
    if (!path.empty() && path[0] == '\0')
        path[0] = '@'; // abstract
    else
        path = path.c_str();
    const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view{"/@._-+:"}.find(c) != std::string_view::npos;
    };
    if (path.empty() || !std::ranges::all_of(path, is_plain))
        fail(Error::Kind::usage, "a socket at {} cannot be handed to an app", quoted(path));
    return path;
}

ListeningSocket look_at(int fd, std::string name)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    sys::check([&] { return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size); },
               "looking at descriptor {}, which should be a socket", fd);
    const int type = option<int>(fd, SO_TYPE);
    if (type != SOCK_DGRAM && option<int>(fd, SO_ACCEPTCONN) == 0)
        throw Error{Error::Kind::usage, fmt::format("socket {} is a connection", quoted(name)),
                    "its socket unit needs Accept=no"};
    ListeningSocket socket{.host_name = std::move(name)};
    std::string where;
    char digits[INET6_ADDRSTRLEN];
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        socket.port = ntohs(v4.sin_port);
        where = fmt::format("{}:{}", ::inet_ntop(AF_INET, &v4.sin_addr, digits, sizeof digits), socket.port);
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        socket.port = ntohs(v6.sin6_port);
        where = fmt::format("[{}]:{}", ::inet_ntop(AF_INET6, &v6.sin6_addr, digits, sizeof digits), socket.port);
    } else if (address.ss_family == AF_UNIX) {
        where = unix_address(reinterpret_cast<const sockaddr_un&>(address), size);
    } else {
        fail(Error::Kind::usage, "sockets of address family {} cannot be handed to an app", address.ss_family);
    }
    socket.directive = fmt::format("{}={}", directive_for(type), where);
    return socket;
}

// The apps, by index, that `is_it` says yes to; one at most. `what` is for the error.
template <typename IsIt>
std::optional<std::size_t> the_only(const Pod& pod, const std::string& what, IsIt&& is_it)
{
    std::optional<std::size_t> found;
    for (std::size_t index = 0; index < pod.manifest.apps.size(); ++index) {
        if (!is_it(index))
            continue;
        if (found)
            throw Error{Error::Kind::usage, fmt::format("more than one app has {}", what),
                        "name the app: FileDescriptorName=APP in the socket unit"};
        found = index;
    }
    return found;
}

const model::Port* port_named(const model::App& app, const std::string& name)
{
    const auto found = std::ranges::find_if(app.ports, [&](const auto& port) { return port.name.str() == name; });
    return found == app.ports.end() ? nullptr : &*found;
}

// The socket-activated port of an app that this number of the host belongs to.
const model::Port* port_numbered(const Pod& pod, std::size_t index, unsigned number)
{
    for (const auto& port : pod.app(index).ports) {
        if (!port.socket_activated)
            continue;
        const auto published =
            std::ranges::find_if(pod.manifest.ports, [&](const auto& exposed) { return exposed.name == port.name; });
        if ((published != pod.manifest.ports.end() ? published->host_port : port.port) == number)
            return &port;
    }
    return nullptr;
}

std::vector<std::string> names_of_descriptors(std::size_t count)
{
    const char* listed = std::getenv("LISTEN_FDNAMES");
    auto names = text::split(listed != nullptr ? listed : "", ':');
    names.resize(count);
    return names;
}

} // namespace

HandedSocket assign(const ListeningSocket& socket, const Pod& pod)
{
    const auto& name = socket.host_name;
    const auto is_called_so = [&](std::size_t index) {
        return pod.manifest.apps[index].name.str() == name || port_named(pod.app(index), name) != nullptr;
    };
    if (const auto app = the_only(pod, fmt::format("a port {}", quoted(name)), is_called_so))
        return {.app = *app, .name = name, .directive = socket.directive};
    if (socket.port != 0) {
        const auto has_number = [&](std::size_t index) { return port_numbered(pod, index, socket.port) != nullptr; };
        if (const auto app = the_only(pod, fmt::format("port {}", socket.port), has_number))
            return {
                .app = *app, .name = port_numbered(pod, *app, socket.port)->name.str(), .directive = socket.directive};
    }
    if (pod.manifest.apps.size() == 1)
        return {.app = 0, .name = name, .directive = socket.directive};
    throw Error{Error::Kind::usage, fmt::format("no app takes the socket {} ({})", quoted(name), socket.directive),
                "name the app or its port: FileDescriptorName=APP in the socket unit"};
}

std::vector<HandedSocket> take_handed_sockets(const Pod& pod)
{
    const int count = ::sd_listen_fds(0); // sets close-on-exec
    if (count < 0)
        throw system_error(-count, "taking sockets from the host's systemd");
    const auto names = names_of_descriptors(static_cast<std::size_t>(count));
    std::vector<HandedSocket> sockets;
    for (int index = 0; index < count; ++index)
        sockets.push_back(assign(look_at(first_descriptor + index, names[static_cast<std::size_t>(index)]), pod));
    for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
        ::unsetenv(variable);
    return sockets;
}

// systemd hands descriptors to the socket units that it knows when it begins, so that the root slice, which is always
// there, has to want these; a service then gets those that its Sockets= names.
UnitFiles units_for(const std::vector<HandedSocket>& sockets, const Pod& pod)
{
    if (sockets.empty())
        return {};
    UnitFiles files;
    std::vector<std::string> all;
    std::vector<std::vector<std::string>> of_app(pod.manifest.apps.size());
    for (const auto& socket : sockets) {
        const auto unit = fmt::format("rocket-{}.socket", all.size());
        std::string fd_name; // any character but these two and control characters may be in it
        for (const char c : text::printable(socket.name))
            fd_name += c == '%' ? "%%" : std::string(1, c);
        files.emplace_back(unit, fmt::format("[Unit]\nDefaultDependencies=no\n[Socket]\n{}\nService={}\n{}{}\n",
                                             socket.directive, holder,
                                             fd_name.empty() ? "" : "FileDescriptorName=", fd_name));
        of_app[socket.app].push_back(unit);
        all.push_back(unit);
    }
    for (std::size_t index = 0; index < of_app.size(); ++index)
        if (!of_app[index].empty())
            files.emplace_back(unit_name(pod.manifest.apps[index].name.str()) + ".d/sockets.conf",
                               fmt::format("[Service]\nSockets={}\n", fmt::join(of_app[index], " ")));
    files.emplace_back("-.slice.d/sockets.conf", fmt::format("[Unit]\nWants={}\n", fmt::join(all, " ")));
    files.emplace_back(holder, "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                               "ExecStop=-/bin/true\n"); // it has to have something to do
    return files;
}

} // namespace rocket::stage1
