// SPDX-License-Identifier: Apache-2.0
#include "stage1/metadata.hh"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <memory>
#include <vector>

#include "common/model/layout.hh"
#include "common/model/metadata.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr timeval patience{.tv_sec = 5, .tv_usec = 0}; // the service may have to be started first
constexpr std::size_t answer_limit = 16U << 10U;
constexpr std::string_view end_of_head = "\r\n\r\n";

std::vector<std::string> host_addresses()
{
    ifaddrs* list = nullptr;
    sys::check([&] { return ::getifaddrs(&list); }, "looking up the host's addresses");
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner{list, ::freeifaddrs};
    std::vector<std::string> addresses;
    for (const auto* each = list; each != nullptr; each = each->ifa_next) {
        if (each->ifa_addr == nullptr)
            continue;
        char text[INET6_ADDRSTRLEN] = {};
        const int family = each->ifa_addr->sa_family;
        const void* bytes = nullptr;
        if (family == AF_INET)
            bytes = &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
        else if (family == AF_INET6)
            bytes = &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr;
        if (bytes != nullptr && ::inet_ntop(family, bytes, text, sizeof text) != nullptr)
            addresses.emplace_back(text);
    }
    return addresses;
}

Fd connect()
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strncpy(name.sun_path, model::host_run::metadata_socket, sizeof name.sun_path - 1);
    Fd socket{sys::check([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }, "making a socket")};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
        ::setsockopt(socket.get(), SOL_SOCKET, option, &patience, sizeof patience);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        throw system_error(errno, "could not reach the metadata service")
            .set_hint("systemctl enable --now rocket-metadata.socket");
    return socket;
}

std::string ask(const std::string& request)
{
    const auto socket = connect();
    try {
        sys::write_all(socket.get(), request);
        return sys::read_to_end(socket.get(), answer_limit);
    } catch (const Error& error) {
        if (error.error_number() == EAGAIN)
            fail(Error::Kind::system, "the metadata service does not answer");
        throw;
    }
}

// The body of a success; what else was said is the error.
std::string body_of(const std::string& answer)
{
    const auto head = answer.find(end_of_head);
    if (head == std::string::npos || !answer.starts_with("HTTP/1.1 "))
        fail(Error::Kind::system, "the metadata service does not answer");
    auto body = answer.substr(head + end_of_head.size());
    if (!answer.starts_with("HTTP/1.1 200 "))
        fail(Error::Kind::system, "the metadata service refuses: {}", text::printable(body));
    return body;
}

std::string put(const Pod& pod)
{
    return body_of(ask(fmt::format("PUT /pods/{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                                   "Connection: close\r\n\r\n",
                                   pod.id.str())));
}

} // namespace

std::string register_pod(const Pod& pod, const model::NetworkState* networks)
{
    try {
        const auto record = networks != nullptr ? model::metadata_record(*networks, host_addresses())
                                                : model::metadata_record_of_host_network();
        file::write_volatile(pod.dir.get(), model::pod_dir::metadata, record.write());
        return model::MetadataRegistration::parse(put(pod)).url(record);
    } catch (const Error& error) {
        throw Error{error.kind(), "failed to register the pod: " + error.innermost(), error.hint()};
    }
}

} // namespace rocket::stage1
