// SPDX-License-Identifier: Apache-2.0
// A pod's networks on disk. net/plan.json is what stage0 asks for: networks as configured, ports to publish. What
// stage1 attempted, and got, is net/state.json: written before the first plugin runs, so that all of it can be undone
// whatever happens in between (L8). Errors: Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/cni_result.hh"
#include "common/model/json.hh"
#include "common/model/json_object.hh"
#include "common/model/port.hh"

namespace rocket::model
{

// A CNI network: a list of plugins (conflist), or one plugin (conf), which then is a list of one.
struct NetworkConfig {
    std::string name;                 // [A-Za-z0-9][A-Za-z0-9_.-]*
    std::string cni_version;          // "0.1.0" if the file does not say
    bool disable_check = false;       // CHECK is never called
    bool restricted = false;          // a key of ours: nothing is forwarded to or from beyond its own subnets
    std::vector<json::Value> plugins; // objects; each has a "type", which is a file name

    static NetworkConfig from(const json::Cursor& cursor);
    json::Value json() const; // always as a list
    bool operator==(const NetworkConfig&) const = default;
};

// The "type" of a plugin, or of its IPAM ("" if it has none).
std::string plugin_type(const json::Value& plugin);
std::string ipam_type(const json::Value& plugin);

struct NetworkRequest {
    NetworkConfig config;
    std::string file;      // where it is configured, for people
    std::string interface; // in the pod: eth0 ...
    std::string args;      // CNI_ARGS: K=V;K=V
    bool operator==(const NetworkRequest&) const = default;
};

struct NetworkPlan {
    std::vector<NetworkRequest> networks;
    std::vector<std::string> plugin_dirs; // absolute, first match wins
    std::vector<PublishedPort> ports;
    DnsConfig dns;        // of --dns*: for plugins with the capability
    std::string hostname; // other pods on the networks find this one by it; empty: they do not

    static NetworkPlan parse(std::string_view text);
    std::string write() const;
    bool operator==(const NetworkPlan&) const = default;
};

struct AttachedNetwork {
    NetworkRequest request;         // its plugins are those that are called, which may be more than were configured
    bool masquerade = false;        // we do it, not a plugin
    std::vector<std::string> paths; // of the plugins
    std::optional<CniResult> result = {};
    bool is_refused = false; // by the last of the plugins, which said so
    bool operator==(const AttachedNetwork&) const = default;
};

struct NetworkState {
    std::string namespace_path; // CNI_NETNS
    bool nftables = true;       // or iptables: where our rules are
    bool opens_forward = false; // iptables drop what is forwarded, and let this pod's packets through
    bool is_released = false;   // everything is undone
    std::vector<AttachedNetwork> networks;
    std::vector<PublishedPort> ports;
    std::optional<std::size_t> publishing = {}; // the network that the ports lead to
    std::vector<std::string> local_routes = {}; // interfaces that need net.ipv4.conf.*.route_localnet for 127.0.0.1

    static NetworkState parse(std::string_view text);
    std::string write() const;
    bool operator==(const NetworkState&) const = default;
};

} // namespace rocket::model
