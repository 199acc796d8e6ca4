// SPDX-License-Identifier: Apache-2.0
#include "stage0/net/ports.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "common/model/ip_address.hh"
#include "common/sys/file.hh"
#include "common/sys/lock.hh"
#include "common/sys/sys.hh"

namespace rocket::net
{

namespace
{

namespace json = model::json;
using model::PublishedPort;
using text::quoted;

struct Reservation {
    Holder holder;
    std::vector<PublishedPort> ports;
};

std::string describe(const PublishedPort& port)
{
    const auto ip = model::IpAddress::parse(port.host_ip);
    const auto where = !ip ? "" : ip->is_v6() ? fmt::format("[{}]:", port.host_ip) : port.host_ip + ":";
    return port.count == 1
               ? fmt::format("{}{}/{}", where, port.host_port, port.protocol)
               : fmt::format("{}{}-{}/{}", where, port.host_port, port.host_port + port.count - 1, port.protocol);
}

// A file that is not ours to understand holds nothing.
std::optional<Reservation> read_reservation(int directory, const std::string& name)
{
    try {
        const auto text = file::read_if_exists(directory, name);
        if (!text)
            return std::nullopt;
        const auto plan = json::parse(*text, "port reservation");
        json::Fields fields{{plan, "reservation"}};
        Reservation reservation{{model::PodId::parse(name), fields.text_or("data", "")}, {}};
        for (const auto& item : fields.items("ports"))
            reservation.ports.push_back(PublishedPort::from(item));
        return reservation;
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string write(const Holder& holder, const std::vector<PublishedPort>& ports)
{
    json::Array list;
    for (const auto& port : ports)
        list.push_back(port.json());
    return json::write(json::ObjectWriter{}.set("data", holder.data_dir).set("ports", std::move(list)).done());
}

Lock lock_directory(const std::string& path)
{
    sys::make_dirs(path, 0755);
    return Lock::take(sys::open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY), Lock::Mode::exclusive);
}

struct SocketKind {
    std::string_view protocol;
    int type, number;
};
constexpr SocketKind socket_kinds[] = {
    {"tcp", SOCK_STREAM, IPPROTO_TCP}, {"udp", SOCK_DGRAM, IPPROTO_UDP}, {"sctp", SOCK_STREAM, IPPROTO_SCTP}};

int bind_to(int socket, const model::IpAddress& address, std::uint16_t port)
{
    if (address.is_v6()) {
        sockaddr_in6 to{};
        to.sin6_family = AF_INET6;
        to.sin6_port = htons(port);
        std::memcpy(&to.sin6_addr, address.data(), sizeof to.sin6_addr);
        return ::bind(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    std::memcpy(&to.sin_addr, address.data(), sizeof to.sin_addr);
    return ::bind(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

// Whether a program of the host listens there. What cannot be found out (no such protocol here) is not in use.
bool is_in_use(const SocketKind& kind, const model::IpAddress& address, std::uint16_t port)
{
    const Fd socket{::socket(address.is_v6() ? AF_INET6 : AF_INET, kind.type | SOCK_CLOEXEC, kind.number)};
    if (!socket)
        return false;
    const int on = 1;
    if (kind.type == SOCK_STREAM) // connections that are over do not count
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.is_v6())
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return bind_to(socket.get(), address, port) != 0 && errno == EADDRINUSE;
}

// The kernel routes what comes from ::1 nowhere else; for IPv4 it can be told to (route_localnet).
void check_address(const PublishedPort& port)
{
    if (port.host_ip == "::1")
        throw Error{Error::Kind::unsupported,
                    fmt::format("port {}: nothing can be published on the IPv6 loopback", describe(port)),
                    "publish it on 127.0.0.1"};
}

void check_against_host(const PublishedPort& port)
{
    const auto kind = std::ranges::find(socket_kinds, port.protocol, &SocketKind::protocol);
    if (kind == std::end(socket_kinds))
        fail(Error::Kind::usage, "port {}: only tcp, udp and sctp can be published", describe(port));
    std::vector<std::string> addresses{port.host_ip};
    if (port.host_ip.empty())
        addresses = {"0.0.0.0", "::"};
    for (std::uint32_t offset = 0; offset < port.count; ++offset)
        for (const auto& address : addresses)
            if (is_in_use(*kind, model::IpAddress::parse(address).value(),
                          static_cast<std::uint16_t>(port.host_port + offset)))
                fail(Error::Kind::busy, "port {}: a program of the host listens on {} {}", describe(port), address,
                     port.host_port + offset);
}

} // namespace

std::vector<PublishedPort> published_ports(const model::PodManifest& pod)
{
    std::vector<PublishedPort> ports;
    for (const auto& exposed : pod.ports)
        if (!pod_port_of(pod, exposed).socket_activated)
            ports.push_back(published_port(pod, exposed));
    return ports;
}

void HostPorts::check_against_pods(int directory, const std::vector<PublishedPort>& ports) const
{
    for (const auto& name : file::list(directory, ".")) {
        const auto other = read_reservation(directory, name);
        if (!other)
            continue;
        for (const auto& port : ports) {
            const auto theirs = std::ranges::find_if(other->ports, [&](const auto& p) { return collide(p, port); });
            if (theirs == other->ports.end())
                continue;
            if (release_(other->holder)) {
                sys::unlink_if_exists(directory, name);
                break;
            }
            fail(Error::Kind::busy, "port {}: pod {} has published {}", describe(port), quoted(other->holder.pod.str()),
                 describe(*theirs));
        }
    }
}

void HostPorts::check_free(const std::vector<PublishedPort>& ports) const
{
    if (ports.empty())
        return;
    std::ranges::for_each(ports, check_address);
    const auto lock = lock_directory(directory_);
    check_against_pods(lock.fd(), ports);
    std::ranges::for_each(ports, check_against_host);
}

void HostPorts::reserve(const Holder& pod, const std::vector<PublishedPort>& ports) const
{
    if (ports.empty())
        return;
    const auto lock = lock_directory(directory_);
    check_against_pods(lock.fd(), ports);
    file::write_volatile(lock.fd(), pod.pod.str(), write(pod, ports));
}

} // namespace rocket::net
