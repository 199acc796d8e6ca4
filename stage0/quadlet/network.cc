// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/network.hh"

#include <algorithm>
#include <optional>

#include "common/model/ip_address.hh"
#include "common/model/json_object.hh"
#include "common/model/layout.hh"
#include "common/model/network.hh"
#include "common/sys/error.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/words.hh"

namespace rocket::quadlet
{

namespace
{

namespace json = model::json;
using text::quoted;

struct Subnet {
    std::string cidr;
    bool is_v6 = false;
    std::string gateway = {};
    std::string first = {}, last = {}; // of the addresses that are given out
};

struct Reading {
    std::string driver = "bridge";
    std::string bridge = {};
    std::vector<Subnet> subnets = {};
    std::vector<std::string> name_servers = {};
    json::Array labels = {};
    bool internal = false, ipv6 = false;
    std::string ipam = "host-local";
    std::string mtu = {}, vlan = {}, parent = {}, mode = {};
};

model::IpAddress address(const Entry& entry, const std::string& text)
{
    const auto parsed = model::IpAddress::parse(text);
    if (!parsed)
        refuse(entry, fmt::format("{} is not an address", quoted(text)));
    return *parsed;
}

// Of the subnet that was named last, which is how podman pairs them.
Subnet& subnet_for(Reading& reading, const Entry& entry, bool is_v6)
{
    const auto found = std::find_if(reading.subnets.rbegin(), reading.subnets.rend(),
                                    [&](const Subnet& subnet) { return subnet.is_v6 == is_v6; });
    if (found == reading.subnets.rend())
        refuse(entry, "say Subnet= first");
    return *found;
}

void add_subnet(Reading& reading, const Entry& entry)
{
    const auto slash = entry.value.find('/');
    const auto base = address(entry, entry.value.substr(0, slash));
    const auto prefix = slash == std::string::npos
                            ? std::nullopt
                            : text::parse_decimal(std::string_view{entry.value}.substr(slash + 1), base.bits() - 2);
    if (!prefix || *prefix == 0)
        refuse(entry, "a subnet is ADDRESS/PREFIX with room for some addresses");
    reading.subnets.push_back(
        {.cidr = fmt::format("{}/{}", base.network(static_cast<unsigned>(*prefix)).str(), *prefix),
         .is_v6 = base.is_v6()});
}

void set_gateway(Reading& reading, const Entry& entry)
{
    const auto gateway = address(entry, entry.value);
    subnet_for(reading, entry, gateway.is_v6()).gateway = gateway.str();
}

void set_range(Reading& reading, const Entry& entry)
{
    const auto dash = entry.value.find('-');
    if (dash == std::string::npos)
        refuse(entry, "a range is FIRST-LAST");
    const auto first = address(entry, entry.value.substr(0, dash));
    const auto last = address(entry, entry.value.substr(dash + 1));
    auto& subnet = subnet_for(reading, entry, first.is_v6());
    subnet.first = first.str();
    subnet.last = last.str();
}

void choose(const Entry& entry, std::string& into, std::initializer_list<std::string_view> words)
{
    if (std::ranges::find(words, std::string_view{entry.value}) == words.end())
        refuse(entry, fmt::format("only {} are supported", fmt::join(words, ", ")));
    into = entry.value;
}

// An interface of the host, and nothing that would be something else in JSON or in a unit file.
std::string interface_name(const Entry& entry, const std::string& name)
{
    constexpr std::size_t longest = 15;
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
    if (name.empty() || name.size() > longest || !std::ranges::all_of(name, is_plain))
        refuse(entry, fmt::format("{} is not the name of an interface", quoted(name)));
    return name;
}

std::string number(const Entry& entry, const std::string& value, std::uint64_t least, std::uint64_t most)
{
    const auto parsed = text::parse_decimal(value, most);
    if (!parsed || *parsed < least)
        refuse(entry, fmt::format("{} is not a number from {} to {}", quoted(value), least, most));
    return value;
}

void set_options(Reading& reading, const Entry& entry)
{
    for (const auto& option : text::split(entry.value, ',')) {
        const auto equals = option.find('=');
        const auto key = option.substr(0, equals);
        const auto value = equals == std::string::npos ? std::string{} : option.substr(equals + 1);
        if (key == "mtu" || key == "com.docker.network.driver.mtu")
            reading.mtu = number(entry, value, 68, 65535);
        else if (key == "vlan")
            reading.vlan = number(entry, value, 1, 4094);
        else if (key == "parent")
            reading.parent = interface_name(entry, value);
        else if (key == "mode")
            choose({entry.key, value, entry.place}, reading.mode,
                   {"bridge", "private", "vepa", "passthru", "l2", "l3", "l3s"});
        else
            refuse(entry,
                   fmt::format("the option {} is not supported: there are mtu, vlan, parent and mode", quoted(key)));
    }
}

void add_labels(Reading& reading, const Entry& entry)
{
    for (const auto& word : split_words(entry.value)) {
        const auto equals = word.find('=');
        reading.labels.push_back(json::ObjectWriter{}
                                     .set("key", word.substr(0, equals))
                                     .set("value", equals == std::string::npos ? "" : word.substr(equals + 1))
                                     .done());
    }
}

struct Key {
    std::string_view name;
    void (*apply)(Reading& reading, const Entry& entry);
};

constexpr Key keys[] = {
    {"DNS", [](Reading& r, const Entry& e) { r.name_servers.push_back(address(e, e.value).str()); }},
    {"Driver",
     [](Reading& r, const Entry& e) {
         choose(e, r.driver, {"bridge", "macvlan", "ipvlan"});
     }},
    {"Gateway", set_gateway},
    {"IPAMDriver",
     [](Reading& r, const Entry& e) {
         choose(e, r.ipam, {"host-local", "dhcp"});
     }},
    {"IPRange", set_range},
    {"IPv6", [](Reading& r, const Entry& e) { r.ipv6 = bool_value(e); }},
    {"InterfaceName", [](Reading& r, const Entry& e) { r.bridge = interface_name(e, e.value); }},
    {"Internal", [](Reading& r, const Entry& e) { r.internal = bool_value(e); }},
    {"Label", add_labels},
    {"NetworkName", [](Reading&, const Entry&) {}}, // network_name()
    {"Options", set_options},
    {"ServiceName", [](Reading&, const Entry&) {}}, // Translator::unit_of()
    {"Subnet", add_subnet},
};

std::uint32_t hash(std::string_view name) // FNV-1a
{
    std::uint32_t value = 2166136261U;
    for (const char c : name)
        value = (value ^ static_cast<unsigned char>(c)) * 16777619U;
    return value;
}

// One of 256, by the name; of those that meet, the second gets the next free one.
unsigned default_subnet(const UnitFile& file, const std::vector<UnitFile>& files)
{
    std::vector<unsigned> taken;
    for (const auto& other : files) {
        if (!other.name.ends_with(".network") || other.last("Network", "Subnet") != nullptr)
            continue;
        auto mine = hash(network_name(other)) % 256;
        for (unsigned tries = 0; tries < 256 && std::ranges::find(taken, mine) != taken.end(); ++tries)
            mine = (mine + 1) % 256;
        taken.push_back(mine);
        if (other.name == file.name)
            return mine;
    }
    return hash(file.name) % 256;
}

json::Value ipam(const Reading& reading)
{
    if (reading.ipam == "dhcp")
        return json::ObjectWriter{}.set("type", "dhcp").done();
    json::Array ranges, routes;
    for (const auto& subnet : reading.subnets) {
        auto range = json::ObjectWriter{};
        range.set("subnet", subnet.cidr);
        range.set_text("rangeStart", subnet.first)
            .set_text("rangeEnd", subnet.last)
            .set_text("gateway", subnet.gateway);
        ranges.push_back(json::Array{std::move(range).done()});
        if (!reading.internal)
            routes.push_back(json::ObjectWriter{}.set("dst", subnet.is_v6 ? "::/0" : "0.0.0.0/0").done());
    }
    json::ObjectWriter writer;
    writer.set("type", "host-local").set("dataDir", model::host_run::leases).set("ranges", std::move(ranges));
    if (!routes.empty())
        writer.set("routes", std::move(routes));
    return std::move(writer).done();
}

json::Value plugin(const Reading& reading, const std::string& name)
{
    json::ObjectWriter writer;
    writer.set("type", reading.driver);
    const auto set_number = [&](std::string_view key, const std::string& value) {
        if (!value.empty())
            writer.set(key, json::Number{value});
    };
    if (reading.driver == "bridge") {
        writer.set("bridge", reading.bridge.empty() ? fmt::format("rk-{:08x}", hash(name)) : reading.bridge);
        writer.set("isGateway", true).set("ipMasq", !reading.internal).set("hairpinMode", true);
        set_number("vlan", reading.vlan);
    } else {
        writer.set_text("master", reading.parent);
        writer.set_text("mode", reading.mode);
    }
    set_number("mtu", reading.mtu);
    writer.set("ipam", ipam(reading));
    if (!reading.name_servers.empty())
        writer.set("dns", json::ObjectWriter{}.set("nameservers", json::to_json(reading.name_servers)).done());
    json::ObjectWriter args; // CNI conventions: "labels" is well known, the other one is Rocket's own
    args.set_if(!reading.labels.empty(), "labels", reading.labels);
    const auto has_range = [](const Subnet& subnet) { return !subnet.first.empty(); };
    if (std::ranges::any_of(reading.subnets, has_range)) // what podman takes a range for
        args.set("rocket", json::ObjectWriter{}.set("requestsOutsideRange", true).done());
    if (auto done = std::move(args).done(); !done.object()->empty())
        writer.set("args", std::move(done));
    return std::move(writer).done();
}

// What only makes sense with another driver than the one that was chosen.
void check(const Reading& reading, const UnitFile& file)
{
    const bool is_bridge = reading.driver == "bridge";
    const auto fail_if = [&](bool wrong, const char* key, const char* why) {
        if (const auto* const entry = wrong ? file.last("Network", key) : nullptr)
            refuse(*entry, why);
    };
    fail_if(!is_bridge && !reading.bridge.empty(), "InterfaceName", "only bridges are made: say parent= in Options=");
    fail_if(!is_bridge && !reading.vlan.empty(), "Options", "vlan= is for bridges");
    fail_if(is_bridge && !(reading.parent + reading.mode).empty(), "Options", "parent= and mode= are not for bridges");
    fail_if(is_bridge && reading.ipam == "dhcp", "IPAMDriver", "on a bridge of its own no server answers");
    fail_if(reading.ipam == "dhcp" && !reading.subnets.empty(), "Subnet", "with IPAMDriver=dhcp the server decides");
}

} // namespace

std::string network_name(const UnitFile& file)
{
    const auto* const entry = file.last("Network", "NetworkName");
    const auto name = entry != nullptr ? entry->value : file.name.substr(0, file.name.rfind('.'));
    const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
    const bool is_special = name == "none" || name == "host" || name == "all" || name == "default";
    if (name.empty() || is_special || !std::ranges::all_of(name, is_plain) ||
        std::isalnum(static_cast<unsigned char>(name.front())) == 0)
        fail(Error::Kind::usage, "{}: {} cannot be the name of a network", entry != nullptr ? entry->place : file.path,
             quoted(name));
    return name;
}

std::string network_configuration(const UnitFile& file, const std::vector<UnitFile>& files)
{
    Reading reading;
    const auto* const section = file.find("Network");
    for (const auto& entry : section != nullptr ? section->in_force() : std::vector<Entry>{}) {
        const auto* const key = std::ranges::find(keys, std::string_view{entry.key}, &Key::name);
        if (key == std::end(keys))
            refuse_key(entry, "Network");
        else if (!entry.value.empty())
            key->apply(reading, entry);
    }
    const auto name = network_name(file);
    check(reading, file);
    const auto has = [&](bool is_v6) {
        return std::ranges::any_of(reading.subnets, [&](const Subnet& subnet) { return subnet.is_v6 == is_v6; });
    };
    if (reading.subnets.empty() && reading.ipam != "dhcp")
        reading.subnets.push_back({.cidr = fmt::format("10.89.{}.0/24", default_subnet(file, files))});
    if (reading.ipv6 && !has(true) && reading.ipam != "dhcp")
        reading.subnets.push_back(
            {.cidr = fmt::format("fd72:6f63:6b65:{:x}::/64", 0x8900U + default_subnet(file, files)), .is_v6 = true});
    json::Array plugins{plugin(reading, name)};
    return json::write(json::ObjectWriter{}
                           .set("cniVersion", "1.0.0")
                           .set("name", name)
                           .set_if(reading.internal, "restricted", true)
                           .set("plugins", std::move(plugins))
                           .done());
}

std::vector<std::string_view> network_keys()
{
    std::vector<std::string_view> names;
    for (const auto& key : keys)
        names.push_back(key.name);
    std::ranges::sort(names);
    return names;
}

} // namespace rocket::quadlet
