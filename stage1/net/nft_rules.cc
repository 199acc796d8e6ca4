// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/nft_rules.hh"

#include <fmt/format.h>

#include "stage1/net/demands.hh"

namespace rocket::stage1
{

namespace
{

using model::AttachedNetwork;
using model::CniAddress;
using model::NetworkState;
using model::PublishedPort;

std::string table_name(const model::PodId& id)
{
    return "inet rocket-" + id.str();
}

const char* family(bool v6)
{
    return v6 ? "ip6" : "ip";
}

std::string quoted_list(const std::vector<std::string>& names)
{
    std::string list;
    for (const auto& name : names)
        list += (list.empty() ? "\"" : ", \"") + name + "\"";
    return "{ " + list + " }";
}

// --- one port

std::string destination(const PublishedPort& port, const CniAddress& to)
{
    const auto at = [&](std::uint32_t offset) {
        return fmt::format("{}:{}", to.is_v6 ? "[" + to.address + "]" : to.address, port.pod_port + offset);
    };
    if (port.count == 1)
        return fmt::format("dnat {} to {}", family(to.is_v6), at(0));
    if (port.host_port == port.pod_port)
        return fmt::format("dnat {} to {}", family(to.is_v6), to.address);
    std::string map;
    for (std::uint32_t offset = 0; offset < port.count; ++offset)
        map += fmt::format("{}{} : {} . {}", map.empty() ? "" : ", ", port.host_port + offset, to.address,
                           port.pod_port + offset);
    return fmt::format("dnat {} to {} dport map {{ {} }}", family(to.is_v6), port.protocol, map);
}

std::string publish(const PublishedPort& port, const CniAddress& to)
{
    if (!is_for(port, to.is_v6))
        return {};
    const bool everywhere = port.host_ip.empty() || port.host_ip == "0.0.0.0" || port.host_ip == "::";
    const auto where = everywhere ? fmt::format("meta nfproto {}", to.is_v6 ? "ipv6" : "ipv4")
                                  : fmt::format("{} daddr {}", family(to.is_v6), port.host_ip);
    const auto ports = port.count == 1 ? fmt::format("{}", port.host_port)
                                       : fmt::format("{}-{}", port.host_port, port.host_port + port.count - 1);
    return fmt::format("    {} {} dport {} {}\n", where, port.protocol, ports, destination(port, to));
}

// --- chains

std::string publishing_chains(const std::vector<PublishedPort>& ports, const AttachedNetwork& network)
{
    std::string rules;
    for (const auto& address : network.result->addresses)
        for (const auto& port : ports)
            rules += publish(port, address);
    return fmt::format("  chain publish {{\n{}  }}\n"
                       "  chain from-outside {{\n    type nat hook prerouting priority -100;\n"
                       "    fib daddr type local jump publish\n  }}\n"
                       "  chain from-host {{\n    type nat hook output priority -100;\n"
                       "    ip6 daddr ::1 return\n" // it would never come back: refused at once is better
                       "    fib daddr type local jump publish\n  }}\n",
                       rules);
}

// Routing 127.0.0.0/8 to a pod's interface must not open the host's loopback to the pod.
std::string loopback_guard(const std::vector<std::string>& interfaces)
{
    return fmt::format("  chain loopback-guard {{\n    type filter hook prerouting priority -300;\n"
                       "    iifname {} ip daddr 127.0.0.0/8 drop\n  }}\n",
                       quoted_list(interfaces));
}

// Whoever reaches a published port from a place from where the pod would answer directly gets its answers through us.
std::string return_through_us(const CniAddress& address)
{
    const char* ip = family(address.is_v6);
    auto rules = fmt::format("    {0} saddr {1} {0} daddr {2} ct status dnat masquerade\n", ip, address.subnet(),
                             address.address);
    rules += fmt::format("    {0} saddr {1} {0} daddr {2} ct status dnat masquerade\n", ip,
                         address.is_v6 ? "::1" : "127.0.0.0/8", address.address);
    return rules;
}

std::string masquerade(const CniAddress& address)
{
    return fmt::format("    {0} saddr {1} {0} daddr != {{ {2}, {3} }} masquerade\n", family(address.is_v6),
                       address.address, address.subnet(), address.is_v6 ? "ff00::/8" : "224.0.0.0/4");
}

std::string postrouting_chain(const NetworkState& state)
{
    std::string rules;
    for (std::size_t index = 0; index < state.networks.size(); ++index) {
        const auto& network = state.networks[index];
        if (!network.result)
            continue;
        for (const auto& address : network.result->addresses) {
            if (state.publishing == index)
                rules += return_through_us(address);
            if (network.masquerade)
                rules += masquerade(address);
        }
    }
    if (rules.empty())
        return {};
    return fmt::format("  chain to-outside {{\n    type nat hook postrouting priority 100;\n{}  }}\n", rules);
}

std::string restrict(const AttachedNetwork& network)
{
    const auto interfaces = quoted_list(network.result->host_interfaces);
    std::string rules;
    for (const bool v6 : {false, true}) {
        const auto* address = network.result->find(v6);
        if (address == nullptr) {
            rules += fmt::format("    iifname {} meta nfproto {} drop\n", interfaces, v6 ? "ipv6" : "ipv4");
            continue;
        }
        rules += fmt::format("    iifname {0} {1} daddr != {2} drop\n    oifname {0} {1} saddr != {2} drop\n",
                             interfaces, family(v6), address->subnet());
    }
    return rules;
}

// What the user publishes is let through.
std::string restricting_chain(const NetworkState& state)
{
    std::string rules;
    for (const auto& network : state.networks)
        if (network.request.config.restricted && network.result && !network.result->host_interfaces.empty())
            rules += restrict(network);
    if (rules.empty())
        return {};
    return fmt::format("  chain restricted {{\n    type filter hook forward priority 0;\n"
                       "    ct status dnat accept\n{}  }}\n",
                       rules);
}

} // namespace

std::string make_nft_rules(const model::PodId& id, const NetworkState& state)
{
    std::string chains;
    if (state.publishing && state.networks[*state.publishing].result)
        chains += publishing_chains(state.ports, state.networks[*state.publishing]);
    if (!state.local_routes.empty())
        chains += loopback_guard(state.local_routes);
    chains += restricting_chain(state);
    chains += postrouting_chain(state);
    return chains.empty() ? "" : fmt::format("table {} {{\n{}}}\n", table_name(id), chains);
}

std::string remove_nft_rules(const model::PodId& id)
{
    return fmt::format("add table {0}\ndelete table {0}\n", table_name(id));
}

} // namespace rocket::stage1
