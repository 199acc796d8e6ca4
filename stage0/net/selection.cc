// SPDX-License-Identifier: Apache-2.0
#include "stage0/net/selection.hh"

#include <unistd.h>

#include <algorithm>

#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::net
{

namespace
{

using text::quoted;

// NAME[:K=V[;K=V]...]
Wanted parse_item(const std::string& item)
{
    const auto colon = item.find(':');
    Wanted wanted{.name = item.substr(0, colon), .args = {}};
    if (wanted.name.empty())
        fail(Error::Kind::usage, "netname must not be empty");
    if (colon == std::string::npos)
        return wanted;
    if (wanted.name == "all" || wanted.name == "host" || wanted.name == "none")
        fail(Error::Kind::usage, "arguments are not supported by special netname {}", quoted(wanted.name));
    wanted.args = item.substr(colon + 1);
    const auto arguments = text::split(wanted.args, ';');
    for (const auto& argument : arguments)
        if (const auto equals = argument.find('='); equals == 0 || equals == std::string::npos)
            fail(Error::Kind::usage, "network {} provided with invalid arguments: [{}]", quoted(wanted.name),
                 text::printable(fmt::format("{}", fmt::join(arguments, " "))));
    return wanted;
}

bool is_executable(const std::string& path)
{
    const auto info = sys::stat_if_exists(AT_FDCWD, path, 0);
    return info && S_ISREG(info->st_mode) && ::access(path.c_str(), X_OK) == 0;
}

void check_plugin(const std::string& type, const model::NetworkRequest& network,
                  const std::vector<std::string>& directories)
{
    if (type.empty() ||
        std::ranges::any_of(directories, [&](const auto& dir) { return is_executable(dir + "/" + type); }))
        return;
    throw Error{Error::Kind::not_found,
                fmt::format("network {} needs the CNI plugin {}, which is in none of {}", quoted(network.config.name),
                            quoted(type), fmt::join(directories, ", ")),
                "install the package containernetworking-plugins, or use --net=none or --net=host"};
}

} // namespace

Selection Selection::parse(const std::string& list)
{
    Selection selection;
    for (const auto& item : text::split(list.empty() ? "default" : list, ',')) {
        auto wanted = parse_item(item);
        if (std::ranges::find(selection.networks, wanted.name, &Wanted::name) != selection.networks.end())
            fail(Error::Kind::usage, "found duplicate netname {}", quoted(wanted.name));
        selection.networks.push_back(std::move(wanted));
    }
    const auto has = [&](const char* name) {
        return std::ranges::find(selection.networks, name, &Wanted::name) != selection.networks.end();
    };
    if (has("host"))
        return {Kind::host, {}};
    if (has("none")) {
        if (selection.networks.size() > 1)
            fail(Error::Kind::usage, "network \"none\" cannot be combined with others");
        return {Kind::none, {}};
    }
    if (has("all")) // with arguments for some of them, perhaps
        selection.kind = Kind::all;
    return selection;
}

std::vector<model::NetworkRequest> choose(const Selection& selection, const Catalog& catalog)
{
    std::vector<std::string> missing;
    for (const auto& wanted : selection.networks)
        if (wanted.name != "all" && catalog.find(wanted.name) == nullptr)
            missing.push_back(wanted.name);
    if (!missing.empty())
        fail(Error::Kind::usage, "networks not found: {}",
             text::printable(fmt::format("{}", fmt::join(missing, ", "))));
    std::vector<model::NetworkRequest> chosen;
    for (const auto& network : catalog.networks) {
        const auto wanted = std::ranges::find(selection.networks, network.config.name, &Wanted::name);
        const bool is_named = wanted != selection.networks.end();
        if (selection.kind == Selection::Kind::all || is_named)
            chosen.push_back(
                {network.config, network.file, fmt::format("eth{}", chosen.size()), is_named ? wanted->args : ""});
    }
    return chosen;
}

void check_plugins(const std::vector<model::NetworkRequest>& networks, const std::vector<std::string>& directories)
{
    for (const auto& network : networks)
        for (const auto& plugin : network.config.plugins) {
            check_plugin(model::plugin_type(plugin), network, directories);
            check_plugin(model::ipam_type(plugin), network, directories);
        }
}

} // namespace rocket::net
