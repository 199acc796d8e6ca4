// SPDX-License-Identifier: Apache-2.0
#include "common/model/network.hh"

#include <algorithm>
#include <cctype>

#include "common/model/json_list.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

bool is_network_name(std::string_view name)
{
    const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    return !name.empty() && name.size() <= 255 && alphanumeric(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

// A plugin is a file by that name in one of the plugin directories.
void check_type(const json::Cursor& type)
{
    const auto name = type.text();
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos)
        type.fail(fmt::format(" is not the name of a plugin: {}", text::quoted(name)));
}

json::Value plugin_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    check_type(fields.required("type"));
    if (const auto ipam = fields.optional("ipam")) {
        json::Fields members{*ipam};
        if (const auto type = members.optional("type"); type && !type->text().empty())
            check_type(*type);
    }
    return cursor.value();
}

NetworkRequest request_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    return {.config = NetworkConfig::from(fields.required("config")),
            .file = fields.text_or("file", ""),
            .interface = fields.required_text("interface").text(),
            .args = fields.text_or("args", "")};
}

json::Value to_json(const NetworkRequest& request)
{
    return json::ObjectWriter{}
        .set("config", request.config.json())
        .set_text("file", request.file)
        .set("interface", request.interface)
        .set_text("args", request.args)
        .done();
}

json::Value to_json(const PublishedPort& port)
{
    return port.json();
}

AttachedNetwork attached_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    AttachedNetwork network{.request = request_from(fields.required("request")),
                            .masquerade = fields.boolean_or("masquerade", false),
                            .paths = fields.required("paths").texts()};
    if (const auto result = fields.optional("result"))
        network.result = CniResult::from(*result);
    network.is_refused = fields.boolean_or("refused", false);
    if (network.paths.size() != network.request.config.plugins.size())
        cursor.fail(" has not one path for each plugin");
    return network;
}

json::Value to_json(const AttachedNetwork& network)
{
    json::ObjectWriter object;
    object.set("request", to_json(network.request))
        .set("masquerade", network.masquerade)
        .set("paths", json::to_json(network.paths));
    if (network.result)
        object.set("result", network.result->raw);
    object.set_if(network.is_refused, "refused", true);
    return object.done();
}

constexpr auto written = [](const auto& item) { return to_json(item); };

std::vector<std::string> texts_or_none(json::Fields& fields, std::string_view name)
{
    const auto list = fields.optional(name);
    return list ? list->texts() : std::vector<std::string>{};
}

} // namespace

NetworkConfig NetworkConfig::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    NetworkConfig config{.name = fields.required_text("name").text(),
                         .cni_version = fields.text_or("cniVersion", "0.1.0"),
                         .disable_check = fields.boolean_or("disableCheck", false),
                         .restricted = fields.boolean_or("restricted", false),
                         .plugins = {}};
    if (!is_network_name(config.name))
        cursor.fail(fmt::format(".name is not a name of a network: {}", text::quoted(config.name)),
                    "letters, digits, and inside it also . _ -");
    if (const auto plugins = fields.optional("plugins"))
        config.plugins = json::each(plugins->items(), plugin_from);
    else
        config.plugins.push_back(plugin_from(cursor));
    if (config.plugins.empty())
        cursor.fail(".plugins is empty");
    return config;
}

json::Value NetworkConfig::json() const
{
    return json::ObjectWriter{}
        .set("cniVersion", cni_version)
        .set("name", name)
        .set_if(disable_check, "disableCheck", true)
        .set_if(restricted, "restricted", true)
        .set("plugins", json::Array(plugins.begin(), plugins.end()))
        .done();
}

std::string plugin_type(const json::Value& plugin)
{
    const auto* type = plugin.find("type");
    return type != nullptr && type->string() != nullptr ? *type->string() : std::string{};
}

std::string ipam_type(const json::Value& plugin)
{
    const auto* ipam = plugin.find("ipam");
    return ipam != nullptr && ipam->object() != nullptr ? plugin_type(*ipam) : std::string{};
}

NetworkPlan NetworkPlan::parse(std::string_view text)
{
    const auto value = json::parse(text, "network plan");
    json::Fields fields{{value, "plan"}};
    NetworkPlan plan{.networks = json::each(fields.items("networks"), request_from),
                     .plugin_dirs = texts_or_none(fields, "pluginDirs"),
                     .ports = json::each(fields.items("ports"), PublishedPort::from),
                     .dns = {},
                     .hostname = fields.text_or("hostname", "")};
    if (const auto dns = fields.optional("dns"))
        plan.dns = DnsConfig::from(*dns);
    return plan;
}

std::string NetworkPlan::write() const
{
    return json::write(json::ObjectWriter{}
                           .set("networks", json::list_of(networks, written))
                           .set("pluginDirs", json::to_json(plugin_dirs))
                           .set("ports", json::list_of(ports, written))
                           .set_if(!dns.is_empty(), "dns", dns.json())
                           .set_text("hostname", hostname)
                           .done());
}

NetworkState NetworkState::parse(std::string_view text)
{
    const auto value = json::parse(text, "network state");
    json::Fields fields{{value, "state"}};
    NetworkState state{.namespace_path = fields.text_or("namespace", ""),
                       .nftables = fields.boolean_or("nftables", true),
                       .opens_forward = fields.boolean_or("opensForward", false),
                       .is_released = fields.boolean_or("released", false),
                       .networks = json::each(fields.items("networks"), attached_from),
                       .ports = json::each(fields.items("ports"), PublishedPort::from)};
    if (const auto publishing = fields.optional("publishing"))
        state.publishing =
            static_cast<std::size_t>(publishing->integer(0, static_cast<std::int64_t>(state.networks.size()) - 1));
    state.local_routes = texts_or_none(fields, "localRoutes");
    return state;
}

std::string NetworkState::write() const
{
    json::ObjectWriter object;
    object.set("namespace", namespace_path)
        .set("nftables", nftables)
        .set("opensForward", opens_forward)
        .set("released", is_released)
        .set("networks", json::list_of(networks, written))
        .set("ports", json::list_of(ports, written));
    if (publishing)
        object.set("publishing", static_cast<std::uint64_t>(*publishing));
    object.set_if(!local_routes.empty(), "localRoutes", json::to_json(local_routes));
    return json::write(object.done());
}

} // namespace rocket::model
