// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/iptables_rules.hh"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/sys/text.hh"
#include "stage1/net/demands.hh"

namespace rocket::stage1
{

namespace
{

using model::AttachedNetwork;
using model::CniAddress;
using model::NetworkState;
using model::PublishedPort;
using Rules = std::vector<std::string>;

constexpr const char* is_published = "-m conntrack --ctstate DNAT";
constexpr const char* to_host = "-m addrtype --dst-type LOCAL";
constexpr std::size_t digits_in_name = 20; // a chain's name has 28 characters at most

std::string name_end(const model::PodId& id)
{
    auto digits = id.str();
    std::erase(digits, '-');
    return "-" + digits.substr(0, digits_in_name);
}

// Calls act(network, address, publishes) for each address of this family.
template <typename Act>
void for_each_address(const NetworkState& state, bool v6, Act act)
{
    for (std::size_t index = 0; index < state.networks.size(); ++index)
        if (const auto& network = state.networks[index]; network.result)
            for (const auto& address : network.result->addresses)
                if (address.is_v6 == v6)
                    act(network, address, state.publishing == index);
}

// --- published ports

// One rule for a range whose numbers stay, else one for each port.
void publish(const PublishedPort& port, const CniAddress& to, Rules& rules)
{
    const bool everywhere = port.host_ip.empty() || port.host_ip == "0.0.0.0" || port.host_ip == "::";
    const auto from = fmt::format("-p {}{}", port.protocol, everywhere ? "" : " -d " + port.host_ip);
    if (port.count > 1 && port.host_port == port.pod_port) {
        rules.push_back(fmt::format("{} --dport {}:{} -j DNAT --to-destination {}", from, port.host_port,
                                    port.host_port + port.count - 1, to.address));
        return;
    }
    for (std::uint32_t offset = 0; offset < port.count; ++offset)
        rules.push_back(fmt::format("{} --dport {} -j DNAT --to-destination {}:{}", from, port.host_port + offset,
                                    to.is_v6 ? "[" + to.address + "]" : to.address, port.pod_port + offset));
}

Rules publishing(const NetworkState& state, bool v6)
{
    Rules rules;
    for_each_address(state, v6, [&](const AttachedNetwork&, const CniAddress& address, bool publishes) {
        for (const auto& port : state.ports)
            if (publishes && is_for(port, v6))
                publish(port, address, rules);
    });
    return rules;
}

// --- what leaves

// Whoever reaches a published port from a place from where the pod would answer directly gets its answers through us.
Rules leaving(const NetworkState& state, bool v6)
{
    Rules rules;
    for_each_address(state, v6, [&](const AttachedNetwork& network, const CniAddress& address, bool publishes) {
        if (publishes)
            for (const auto& source : {address.subnet(), std::string{v6 ? "::1/128" : "127.0.0.0/8"}})
                rules.push_back(fmt::format("-s {} -d {} {} -j MASQUERADE", source, address.address, is_published));
        if (!network.masquerade)
            return;
        for (const auto& inside : {address.subnet(), std::string{v6 ? "ff00::/8" : "224.0.0.0/4"}})
            rules.push_back(fmt::format("-s {} -d {} -j RETURN", address.address, inside));
        rules.push_back(fmt::format("-s {} -j MASQUERADE", address.address));
    });
    return rules;
}

// --- what is forwarded

void restrict(const AttachedNetwork& network, bool v6, Rules& rules)
{
    const auto* address = network.result->find(v6);
    for (const auto& interface : network.result->host_interfaces) {
        if (address == nullptr) {
            rules.push_back(fmt::format("-i {} -j DROP", interface));
            continue;
        }
        rules.push_back(fmt::format("-i {} ! -d {} -j DROP", interface, address->subnet()));
        rules.push_back(fmt::format("-o {} ! -s {} -j DROP", interface, address->subnet()));
    }
}

// What the user publishes is let through.
void restrict(const NetworkState& state, bool v6, Rules& rules)
{
    const auto is_restricted = [](const AttachedNetwork& network) {
        return network.request.config.restricted && network.result;
    };
    if (std::ranges::any_of(state.networks, is_restricted))
        rules.push_back(fmt::format("{} -j RETURN", is_published));
    for (const auto& network : state.networks)
        if (is_restricted(network))
            restrict(network, v6, rules);
}

// --- exceptions where the policy is to drop

void let_ports_through(const NetworkState& state, bool v6, Rules& rules)
{
    for_each_address(state, v6, [&](const AttachedNetwork&, const CniAddress& address, bool publishes) {
        if (publishes)
            for (const char* direction : {"-d", "-s"})
                rules.push_back(fmt::format("{} {} {} -j ACCEPT", direction, address.address, is_published));
    });
}

void let_masqueraded_through(const NetworkState& state, bool v6, Rules& rules)
{
    for_each_address(state, v6, [&](const AttachedNetwork& network, const CniAddress& address, bool) {
        if (!network.masquerade)
            return;
        rules.push_back(fmt::format("-s {} -j ACCEPT", address.address));
        rules.push_back(fmt::format("-d {} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", address.address));
    });
}

Rules forwarded(const NetworkState& state, bool v6)
{
    Rules rules;
    if (state.opens_forward)
        let_ports_through(state, v6, rules); // before the next ones return them to the policy
    if (!state.nftables)
        restrict(state, v6, rules);
    if (state.opens_forward)
        let_masqueraded_through(state, v6, rules);
    return rules;
}

// Routing 127.0.0.0/8 to a pod's interface must not open the host's loopback to the pod.
Rules loopback_guard(const NetworkState& state, bool v6)
{
    Rules rules;
    for (const auto& interface : state.local_routes)
        if (!v6)
            rules.push_back(fmt::format("-i {} -d 127.0.0.0/8 -j DROP", interface));
    return rules;
}

// --- tables

struct Chain {
    const char* table;
    std::string name;
    std::vector<std::string> jumps; // without the chain's name
    Rules rules;
};

std::vector<Chain> chains_of(const model::PodId& id, const NetworkState& state, bool v6)
{
    const auto end = name_end(id);
    std::vector<Chain> chains{{"filter", "RKT-FWD" + end, {"-I FORWARD 1"}, forwarded(state, v6)}};
    if (state.nftables)
        return chains;
    chains.push_back({"mangle", "RKT-LO" + end, {"-A PREROUTING"}, loopback_guard(state, v6)});
    chains.push_back(
        {"nat",
         "RKT-IN" + end,
         // from ::1 it would never come back: refused at once is better
         {fmt::format("-A PREROUTING {}", to_host), fmt::format("-A OUTPUT{} {}", v6 ? " ! -d ::1/128" : "", to_host)},
         publishing(state, v6)});
    chains.push_back({"nat", "RKT-OUT" + end, {"-A POSTROUTING"}, leaving(state, v6)});
    return chains;
}

bool is_of(const std::string& chain, const std::string& end)
{
    return chain.starts_with("RKT-") && chain.ends_with(end);
}

} // namespace

std::string make_iptables_rules(const model::PodId& id, const NetworkState& state, bool v6)
{
    std::string text;
    for (const auto& [table, name, jumps, rules] : chains_of(id, state, v6)) {
        if (rules.empty())
            continue;
        text += fmt::format("*{}\n:{} - [0:0]\n", table, name);
        for (const auto& rule : rules)
            text += fmt::format("-A {} {}\n", name, rule);
        for (const auto& jump : jumps)
            text += fmt::format("{} -j {}\n", jump, name);
        text += "COMMIT\n";
    }
    return text;
}

std::string remove_iptables_rules(const model::PodId& id, const std::string& saved)
{
    const auto end = name_end(id);
    std::string text, table, jumps, chains;
    for (const auto& line : text::split(saved, '\n')) {
        const auto words = text::split(line, ' ');
        if (line.starts_with('*'))
            table = line;
        else if (line.starts_with(':') && is_of(words[0].substr(1), end))
            chains += fmt::format("-F {0}\n-X {0}\n", words[0].substr(1));
        else if (line.starts_with("-A ") && is_of(words.back(), end))
            jumps += "-D" + line.substr(2) + "\n";
        else if (line == "COMMIT" && !chains.empty())
            text += fmt::format("{}\n{}{}COMMIT\n", table, std::exchange(jumps, {}), std::exchange(chains, {}));
    }
    return text;
}

} // namespace rocket::stage1
