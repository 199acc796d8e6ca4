// SPDX-License-Identifier: Apache-2.0
// The names, and the IPv4 subnets, are those of rkt.
#include <algorithm>
#include <array>

#include "common/model/layout.hh"
#include "stage0/net/catalog.hh"

namespace rocket::net
{

namespace
{

constexpr const char* default_network = R"({
    "cniVersion": "1.0.0", "name": "default",
    "plugins": [{
        "type": "ptp", "ipMasq": true,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": "172.16.28.0/24"}], [{"subnet": "fd72:6f63:6b65:1c::/64"}]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
        }
    }]
})";

constexpr const char* restricted_network = R"({
    "cniVersion": "1.0.0", "name": "default-restricted", "restricted": true,
    "plugins": [{
        "type": "ptp",
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": "172.31.0.0/16"}], [{"subnet": "fd72:6f63:6b65:1f::/64"}]]
        }
    }]
})";

model::json::Object& ipam_of(model::json::Value& plugin)
{
    auto& members = *plugin.object();
    return *std::ranges::find(members, "ipam", &model::json::Member::name)->value.object();
}

// Without IPv6: the second range and the second route go.
void drop_second(model::json::Object& ipam)
{
    for (auto& member : ipam)
        if (member.name == "ranges" || member.name == "routes")
            member.value.array()->resize(1);
}

} // namespace

std::vector<Network> built_in_networks(bool with_ipv6)
{
    struct Definition {
        const char* order;
        const char* text;
    };
    constexpr std::array definitions{Definition{"99-default.conf", default_network},
                                     Definition{"99-default-restricted.conf", restricted_network}};
    std::vector<Network> networks;
    for (const auto& [order, text] : definitions) {
        const auto value = model::json::parse(text, order);
        Network network{model::NetworkConfig::from({value, "network"}), "built-in", order};
        auto& ipam = ipam_of(network.config.plugins[0]);
        ipam.push_back({"dataDir", model::host_run::leases});
        if (!with_ipv6)
            drop_second(ipam);
        networks.push_back(std::move(network));
    }
    return networks;
}

} // namespace rocket::net
