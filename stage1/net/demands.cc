// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/demands.hh"

#include <strings.h>

#include <algorithm>

#include "common/model/ip_address.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage1/net/arguments.hh"

namespace rocket::stage1
{

namespace
{

using model::AttachedNetwork;
using model::PublishedPort;
using text::quoted;

Error old_version(const AttachedNetwork& network, const std::string& what)
{
    return {Error::Kind::unsupported,
            fmt::format("network {}: {}: its plugins do not say which interfaces of the host are its own",
                        quoted(network.request.config.name), what),
            "set \"cniVersion\" to \"0.3.0\" or newer in " + network.request.file};
}

void check_port(const PublishedPort& port, const AttachedNetwork& network)
{
    const auto& addresses = network.result->addresses;
    if (std::ranges::none_of(addresses, [&](const auto& address) { return is_for(port, address.is_v6); }))
        fail(Error::Kind::unsupported, "port {}/{} cannot be published: network {} gave the pod no {}", port.host_port,
             port.protocol, quoted(network.request.config.name),
             addresses.empty()         ? "address"
             : addresses.front().is_v6 ? "IPv4 address"
                                       : "IPv6 address");
}

// Plugins may have passed over what they do not know (arguments.hh).
void check_ip(const AttachedNetwork& network, const std::string& wanted)
{
    const auto address = model::IpAddress::parse(wanted.substr(0, wanted.find('/')));
    const auto& given = network.result->addresses;
    if (!address || std::ranges::find(given, address->str(), &model::CniAddress::address) == given.end())
        throw Error{Error::Kind::unsupported,
                    fmt::format("network {} did not give the pod the address {}", quoted(network.request.config.name),
                                quoted(wanted)),
                    "its \"ipam\" has to be one that does, such as host-local"};
}

void check_mac(const AttachedNetwork& network, const std::string& wanted)
{
    const auto is_wanted = [&](const std::string& mac) { return ::strcasecmp(mac.c_str(), wanted.c_str()) == 0; };
    if (std::ranges::none_of(network.result->macs, is_wanted))
        throw Error{Error::Kind::unsupported,
                    fmt::format("network {} did not give the pod's interface the address {}",
                                quoted(network.request.config.name), quoted(wanted)),
                    "its plugins have to be ones that do, such as bridge, or tuning behind another"};
}

void check_arguments(const AttachedNetwork& network)
{
    const auto& args = network.request.args;
    if (const auto ips = argument(args, "IP"); !ips.empty())
        for (const auto& ip : text::split(ips, ','))
            check_ip(network, ip);
    if (const auto mac = argument(args, "MAC"); !mac.empty())
        check_mac(network, mac);
}

} // namespace

bool is_for(const PublishedPort& port, bool v6)
{
    const auto address = model::IpAddress::parse(port.host_ip);
    return !address || address->is_v6() == v6;
}

bool publishes_on_loopback(const model::NetworkState& state)
{
    return state.publishing && std::ranges::any_of(state.ports, [](const PublishedPort& port) {
               return port.host_ip.empty() || port.host_ip == "0.0.0.0" || port.host_ip.starts_with("127.");
           });
}

std::vector<std::string> host_interfaces_of_ports(const model::NetworkState& state)
{
    return state.publishing ? state.networks[*state.publishing].result->host_interfaces : std::vector<std::string>{};
}

void check_demands(const model::NetworkState& state)
{
    for (const auto& network : state.networks)
        check_arguments(network);
    for (const auto& network : state.networks)
        if (network.request.config.restricted && network.result->host_interfaces.empty())
            throw old_version(network, "it cannot be restricted");
    if (!state.publishing)
        return;
    const auto& network = state.networks[*state.publishing];
    for (const auto& port : state.ports)
        check_port(port, network);
    if (publishes_on_loopback(state) && host_interfaces_of_ports(state).empty())
        throw old_version(network, "ports cannot be published on 127.0.0.1");
}

} // namespace rocket::stage1
