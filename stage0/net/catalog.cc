// SPDX-License-Identifier: Apache-2.0
#include "stage0/net/catalog.hh"

#include <algorithm>
#include <array>

#include "common/model/network_places.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::net
{

namespace
{

constexpr std::size_t max_file_size = std::size_t{1} << 20;

bool is_configuration(std::string_view name)
{
    constexpr std::array<std::string_view, 3> endings{".conf", ".conflist", ".json"};
    return std::ranges::any_of(endings, [&](auto ending) { return name.ends_with(ending); });
}

Network read(const std::string& path, const std::string& name)
{
    const auto value = model::json::parse(file::read(AT_FDCWD, path, max_file_size), text::quoted(path));
    return {model::NetworkConfig::from({value, text::quoted(path)}), path, name};
}

// The first definition of a network in a directory wins.
std::vector<Network> read_directory(const std::string& path)
{
    std::vector<Network> networks;
    for (const auto& name : file::list_if_exists(AT_FDCWD, path).value_or(std::vector<std::string>{})) {
        if (!is_configuration(name))
            continue;
        const auto file = path + "/" + name;
        if (!S_ISREG(sys::stat_at(AT_FDCWD, file, 0).st_mode)) // a link is followed; what is no file then is skipped
            continue;
        auto network = read(file, name);
        const auto same = [&](const Network& known) { return known.config.name == network.config.name; };
        if (std::ranges::none_of(networks, same))
            networks.push_back(std::move(network));
    }
    return networks;
}

void replace_or_add(Catalog& catalog, Network network)
{
    for (auto& known : catalog.networks) {
        if (known.config.name != network.config.name)
            continue;
        catalog.notes.push_back(fmt::format("network {}: {} replaces {}", text::quoted(network.config.name),
                                            network.file,
                                            known.file == "built-in" ? "the built-in network" : known.file));
        known = std::move(network);
        return;
    }
    catalog.networks.push_back(std::move(network));
}

bool host_has_ipv6()
{
    const auto disabled = file::read_if_exists(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/disable_ipv6", 16);
    return disabled && text::trim(*disabled) == "0";
}

} // namespace

const Network* Catalog::find(std::string_view name) const
{
    const auto found = std::ranges::find_if(networks, [&](const auto& network) { return network.config.name == name; });
    return found == networks.end() ? nullptr : &*found;
}

Catalog load_catalog(const std::string& system_config, const std::string& local_config)
{
    Catalog catalog{.networks = built_in_networks(host_has_ipv6()), .notes = {}};
    const auto add_all = [&](const std::string& directory) {
        for (auto& network : read_directory(directory))
            replace_or_add(catalog, std::move(network));
    };
    if (!system_config.empty())
        add_all(system_config + "/net.d");
    add_all(model::made_networks);
    if (!local_config.empty())
        add_all(local_config + "/net.d");
    std::ranges::stable_sort(catalog.networks, {}, &Network::order);
    return catalog;
}

std::vector<std::string> plugin_directories(const std::string& system_config, const std::string& local_config)
{
    std::vector<std::string> directories;
    if (!local_config.empty())
        directories.push_back(local_config + "/net.d");
    if (!system_config.empty())
        directories.push_back(system_config + "/plugins/net");
    for (const char* directory : {"/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"})
        directories.emplace_back(directory);
    return directories;
}

} // namespace rocket::net
