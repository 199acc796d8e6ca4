// SPDX-License-Identifier: Apache-2.0
// Ports an app listens on, and ports of the host that lead there (APP-22..24, POD-12..16, STR-3, cli 7.3 --port).
// Errors: parse() Kind::usage, from() Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/ac_name.hh"
#include "common/model/json_object.hh"

namespace rocket::model
{

struct Port {
    PortName name;
    std::string protocol; // any; Rocket forwards tcp, udp, sctp
    std::uint16_t port;
    std::uint32_t count = 1; // port + count <= 65536
    bool socket_activated = false;
    json::Frame unknown = {};

    static Port parse(std::string_view text); // NAME,protocol=tcp,port=8080,count=1,socketActivated=true
    static Port from(const json::Cursor& cursor);
    std::string str() const;
    json::Value json() const;
    bool operator==(const Port&) const = default;
};

struct ExposedPort {
    PortName name;
    std::uint16_t host_port;
    std::string host_ip = {};          // of either family; empty: all addresses
    std::optional<Port> pod_port = {}; // instead of the port of that name in one of the apps
    json::Frame unknown = {};

    static ExposedPort parse(std::string_view text);        // NAME:[HOSTIP:]HOSTPORT, IPv6 in brackets
    static ExposedPort parse_direct(std::string_view text); // NAME:PROTO:PODPORT:HOSTIP:HOSTPORT; no HOSTIP: all (8.17)
    static ExposedPort from(const json::Cursor& cursor);
    json::Value json() const;
    bool operator==(const ExposedPort&) const = default;
};

// An exposed port as the host sees it.
struct PublishedPort {
    std::string protocol; // tcp, udp, sctp
    std::string host_ip;  // an address of either family; empty: all addresses
    std::uint16_t host_port = 0;
    std::uint16_t pod_port = 0;
    std::uint32_t count = 1; // that many, beginning with these two

    static PublishedPort from(const json::Cursor& cursor);
    json::Value json() const;
    bool operator==(const PublishedPort&) const = default;
};
// Whether both want one port of the host.
bool collide(const PublishedPort& a, const PublishedPort& b);

} // namespace rocket::model
