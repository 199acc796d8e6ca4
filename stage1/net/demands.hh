// SPDX-License-Identifier: Apache-2.0
// What is wanted of a pod's networks, against what their plugins have answered: a port that would lead nowhere, or a
// restricted network that nothing could restrict, is an error and not a pod that works a little. Pure. Errors:
// Kind::unsupported, naming network and port.
#pragma once

#include "common/model/network.hh"

namespace rocket::stage1
{

void check_demands(const model::NetworkState& state); // all networks have results

bool is_for(const model::PublishedPort& port, bool v6);       // whether it is published for that family
bool publishes_on_loopback(const model::NetworkState& state); // IPv4's; whether that is for us to do
std::vector<std::string> host_interfaces_of_ports(const model::NetworkState& state); // where published ports lead

} // namespace rocket::stage1
