// SPDX-License-Identifier: Apache-2.0
// From what stage0 asks for to what will be called and recorded. Masquerading is ours, and so is publishing, unless a
// plugin has the capability "portMappings". Pure. Errors: Kind::usage; not_found (a plugin); unsupported, with the
// package that is missing.
//
// Ours means: "ipMasq" of ptp and bridge is taken out of their configuration. With it they add rules for each pod that
// they cannot find again once its namespace is gone, and cost several runs of iptables.
//
// A network whose plugin has "args": {"rocket": {"requestsOutsideRange": true}} gives what is in its ranges to pods
// that ask for nothing, and any address of the subnet to a pod that asks for it (IP=).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/model/network.hh"

namespace rocket::stage1
{

struct HostFirewall {
    bool nftables = true;
    bool iptables = false;        // its programs are there
    bool drops_forwarded = false; // iptables' FORWARD has the policy DROP
};

using FindPlugin = std::function<std::optional<std::string>(const std::string& type)>;

model::NetworkState prepare(const model::NetworkPlan& plan, const HostFirewall& host, const FindPlugin& find);

// The arguments for plugins with capabilities: "portMappings", "ips", "mac", "dns" (CNI conventions).
model::json::Value runtime_config(const model::json::Value& plugin, const std::string& args,
                                  const std::vector<model::PublishedPort>& ports, const model::DnsConfig& dns);

} // namespace rocket::stage1
