// SPDX-License-Identifier: Apache-2.0
// What --net asks for (cli 7.3), and what becomes of it: the plan of a pod's networks, complete and checked before
// there is a pod. Errors: Kind::usage; Kind::not_found for a plugin, with the package that has it.
#pragma once

#include <string>
#include <vector>

#include "stage0/net/catalog.hh"

namespace rocket::net
{

struct Wanted {
    std::string name;
    std::string args; // CNI_ARGS: K=V;K=V
    bool operator==(const Wanted&) const = default;
};

struct Selection {
    enum class Kind {
        none,     // a loopback of its own
        host,     // the caller's network
        all,      // every network that is configured
        networks, // those that are named
    };
    Kind kind = Kind::networks;
    std::vector<Wanted> networks;

    static Selection parse(const std::string& list); // "" means "default"
    bool is_private() const { return kind == Kind::all || kind == Kind::networks; }
};

// Interfaces are named eth0, eth1 ... in the catalog's order. Throws "networks not found: a, b".
std::vector<model::NetworkRequest> choose(const Selection& selection, const Catalog& catalog);

// Every plugin, and every IPAM plugin, is in one of the directories.
void check_plugins(const std::vector<model::NetworkRequest>& networks, const std::vector<std::string>& directories);

} // namespace rocket::net
