// SPDX-License-Identifier: Apache-2.0
// Switches of the host's network (/proc/sys/net) that pods need. Those that a pod alone needs are put back with it.
#pragma once

#include <string>
#include <vector>

#include "common/model/names.hh"

namespace rocket::stage1
{

// Once IPv6 is forwarded the kernel stops believing router advertisements, and a host that lives by them would lose its
// default route: interfaces that believe them go on doing so. Before the first plugin switches forwarding on.
void keep_router_advertisements();

// Connections from 127.0.0.1 to a published port are routed to these interfaces (route_localnet) while a pod needs it:
// a bridge outlives its pods, and is put back with the last of them.
void route_loopback(const model::PodId& id, const std::vector<std::string>& interfaces);
void unroute_loopback(const model::PodId& id, const std::vector<std::string>& interfaces);

bool is_bridge_port(const std::string& interface);

} // namespace rocket::stage1
