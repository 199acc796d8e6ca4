// SPDX-License-Identifier: Apache-2.0
// The networks there are (cli 7.3, internals 10.2): those we bring, and those of net.d/*.conf, *.conflist and *.json in
// the system and the local configuration directory and, between the two, in /run/rocket. In a directory files count by
// name, and the first definition of a network wins; a later place (ours, system, run, local) replaces networks of an
// earlier one as a whole, and says so. Errors: Kind::corrupt with the file.
#pragma once

#include <string>
#include <vector>

#include "common/model/network.hh"

namespace rocket::net
{

struct Network {
    model::NetworkConfig config;
    std::string file;  // for messages
    std::string order; // name of the file: eth0, eth1 ... are given in its order
};

struct Catalog {
    std::vector<Network> networks;  // in the order in which interfaces are numbered
    std::vector<std::string> notes; // what replaces what
    const Network* find(std::string_view name) const;
};

// Empty directories are skipped, missing ones are empty.
Catalog load_catalog(const std::string& system_config, const std::string& local_config);

// "default" and "default-restricted", as rkt has them, with IPv6 where the host has it.
std::vector<Network> built_in_networks(bool with_ipv6);

// Where plugins are looked for.
std::vector<std::string> plugin_directories(const std::string& system_config, const std::string& local_config);

} // namespace rocket::net
