// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/preparation.hh"

#include <algorithm>

#include "common/model/ip_address.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage1/net/arguments.hh"

namespace rocket::stage1
{

namespace
{

namespace json = model::json;
using model::AttachedNetwork;
using model::NetworkState;
using text::quoted;

bool has_capability(const json::Value& plugin, std::string_view name)
{
    const auto* capabilities = plugin.find("capabilities");
    const auto* wanted = capabilities != nullptr ? capabilities->find(name) : nullptr;
    return wanted != nullptr && wanted->boolean() != nullptr && *wanted->boolean();
}

bool has_capability(const AttachedNetwork& network, std::string_view name)
{
    return std::ranges::any_of(network.request.config.plugins,
                               [&](const auto& plugin) { return has_capability(plugin, name); });
}

json::Value* member(json::Value& object, std::string_view name)
{
    auto* const members = object.object();
    if (members == nullptr)
        return nullptr;
    const auto found = std::ranges::find(*members, name, &json::Member::name);
    return found != members->end() ? &found->value : nullptr;
}

bool is_in(const std::string& cidr, const model::IpAddress& address)
{
    const auto slash = std::min(cidr.find('/'), cidr.size());
    const auto base = model::IpAddress::parse(cidr.substr(0, slash));
    const auto prefix = text::parse_decimal(std::string_view{cidr}.substr(std::min(slash + 1, cidr.size())));
    return base && prefix && *prefix <= base->bits() && base->is_v6() == address.is_v6() &&
           address.network(static_cast<unsigned>(*prefix)) == base->network(static_cast<unsigned>(*prefix));
}

bool lets_requests_leave_ranges(const json::Value& plugin)
{
    const auto* args = plugin.find("args");
    const auto* ours = args != nullptr ? args->find("rocket") : nullptr;
    const auto* choice = ours != nullptr ? ours->find("requestsOutsideRange") : nullptr;
    return choice != nullptr && choice->boolean() != nullptr && *choice->boolean();
}

// host-local refuses an address outside its range, also to the one who asked for it; here it is given the subnet.
void leave_range(json::Value& plugin, const model::IpAddress& wanted)
{
    auto* const ipam = member(plugin, "ipam");
    auto* const sets = ipam != nullptr ? member(*ipam, "ranges") : nullptr;
    if (sets == nullptr || sets->array() == nullptr)
        return;
    for (auto& set : *sets->array()) {
        if (set.array() == nullptr)
            continue;
        for (auto& range : *set.array()) {
            const auto* subnet = range.find("subnet");
            if (subnet != nullptr && subnet->string() != nullptr && is_in(*subnet->string(), wanted))
                std::erase_if(*range.object(),
                              [](const auto& m) { return m.name == "rangeStart" || m.name == "rangeEnd"; });
        }
    }
}

void open_ranges(AttachedNetwork& network)
{
    for (auto& plugin : network.request.config.plugins)
        if (lets_requests_leave_ranges(plugin))
            for (const auto& ip : text::split(argument(network.request.args, "IP"), ','))
                if (const auto address = model::IpAddress::parse(ip.substr(0, ip.find('/'))))
                    leave_range(plugin, *address);
}

json::Array port_mappings(const std::vector<model::PublishedPort>& ports)
{
    json::Array mappings;
    for (const auto& port : ports)
        for (std::uint32_t offset = 0; offset < port.count; ++offset)
            mappings.push_back(json::ObjectWriter{}
                                   .set("hostPort", port.host_port + offset)
                                   .set("containerPort", port.pod_port + offset)
                                   .set("protocol", port.protocol)
                                   .set_text("hostIP", port.host_ip)
                                   .done());
    return mappings;
}

json::Value dns_config(const model::DnsConfig& dns)
{
    return json::ObjectWriter{}
        .set("servers", json::to_json(dns.servers))
        .set("searches", json::to_json(dns.search))
        .set("options", json::to_json(dns.options))
        .done();
}

void set_member(json::Value& object, std::string_view name, json::Value value)
{
    for (auto& member : *object.object())
        if (member.name == name) {
            member.value = std::move(value);
            return;
        }
    object.object()->push_back({std::string{name}, std::move(value)});
}

bool wants_masquerade(const json::Value& plugin)
{
    const auto* wanted = plugin.find("ipMasq");
    return wanted != nullptr && wanted->boolean() != nullptr && *wanted->boolean();
}

void take_over_masquerading(AttachedNetwork& network)
{
    for (auto& plugin : network.request.config.plugins)
        if ((model::plugin_type(plugin) == "ptp" || model::plugin_type(plugin) == "bridge") &&
            wants_masquerade(plugin)) {
            set_member(plugin, "ipMasq", false);
            network.masquerade = true;
        }
}

// The one that can do it by itself; else the first that leads out; else the last.
std::size_t network_for_ports(const std::vector<AttachedNetwork>& networks)
{
    for (std::size_t index = 0; index < networks.size(); ++index)
        if (has_capability(networks[index], "portMappings"))
            return index;
    const auto leads_out = std::ranges::find_if(networks, &AttachedNetwork::masquerade);
    return leads_out != networks.end() ? static_cast<std::size_t>(leads_out - networks.begin()) : networks.size() - 1;
}

void plan_ports(NetworkState& state, const model::NetworkPlan& plan)
{
    if (plan.ports.empty())
        return;
    const auto index = network_for_ports(state.networks);
    state.ports = plan.ports;
    if (!has_capability(state.networks[index], "portMappings"))
        state.publishing = index;
}

void check_firewall(const NetworkState& state, const HostFirewall& host)
{
    for (std::size_t index = 0; index < state.networks.size(); ++index) {
        const auto& network = state.networks[index];
        const char* what = network.masquerade                  ? "masquerading"
                           : state.publishing == index         ? "published ports"
                           : network.request.config.restricted ? "restricting"
                                                               : nullptr;
        if (what != nullptr && !host.nftables && !host.iptables)
            throw Error{Error::Kind::unsupported,
                        fmt::format("network {} needs {}: this host's kernel has no nftables (nf_tables), and iptables "
                                    "is not installed",
                                    quoted(network.request.config.name), what),
                        "install the package iptables, or use --net=none or --net=host"};
        if ((network.masquerade || state.publishing == index) && host.drops_forwarded && !host.iptables)
            throw Error{Error::Kind::unsupported,
                        fmt::format("network {}: this host drops what it forwards (iptables), and iptables is not "
                                    "installed to let the pod's packets through",
                                    quoted(network.request.config.name)),
                        "install the package iptables"};
    }
}

void find_plugins(AttachedNetwork& network, const FindPlugin& find)
{
    for (const auto& plugin : network.request.config.plugins) {
        const auto type = model::plugin_type(plugin);
        const auto path = find(type);
        if (!path)
            throw Error{Error::Kind::not_found,
                        fmt::format("network {} needs the CNI plugin {}, which is not installed",
                                    quoted(network.request.config.name), quoted(type)),
                        "install the package containernetworking-plugins"};
        network.paths.push_back(*path);
    }
}

} // namespace

json::Value runtime_config(const json::Value& plugin, const std::string& args,
                           const std::vector<model::PublishedPort>& ports, const model::DnsConfig& dns)
{
    json::ObjectWriter config;
    const auto set = [&](const char* capability, bool wanted, auto value) {
        config.set_if(wanted && has_capability(plugin, capability), capability, std::move(value));
    };
    const auto ip = argument(args, "IP"), mac = argument(args, "MAC");
    set("portMappings", !ports.empty(), port_mappings(ports));
    set("ips", !ip.empty(), json::to_json(text::split(ip, ',')));
    set("mac", !mac.empty(), mac);
    set("dns", !dns.is_empty(), dns_config(dns));
    return config.done();
}

NetworkState prepare(const model::NetworkPlan& plan, const HostFirewall& host, const FindPlugin& find)
{
    NetworkState state{.nftables = host.nftables, .opens_forward = host.drops_forwarded};
    for (const auto& request : plan.networks) {
        state.networks.push_back({.request = request});
        take_over_masquerading(state.networks.back());
        open_ranges(state.networks.back());
    }
    plan_ports(state, plan);
    check_firewall(state, host);
    for (auto& network : state.networks) {
        for (auto& plugin : network.request.config.plugins)
            if (auto config = runtime_config(plugin, network.request.args, state.ports, plan.dns);
                !config.object()->empty())
                set_member(plugin, "runtimeConfig", std::move(config));
        find_plugins(network, find);
    }
    return state;
}

} // namespace rocket::stage1
