// SPDX-License-Identifier: Apache-2.0
// What a CNI plugin answers to ADD, in any version of its format: 0.1 and 0.2 ("ip4", "ip6"), 0.3 to 1.0 ("ips").
// Everything in it comes from a program that is not ours: addresses are parsed. Errors: Kind::corrupt with the place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/model/json_object.hh"

namespace rocket::model
{

struct DnsConfig {
    std::vector<std::string> servers;
    std::string domain;
    std::vector<std::string> search;
    std::vector<std::string> options;
    bool is_empty() const { return servers.empty() && domain.empty() && search.empty() && options.empty(); }
    static DnsConfig from(const json::Cursor& cursor);
    json::Value json() const;
    std::string resolv_conf() const; // as a file
    bool operator==(const DnsConfig&) const = default;
};

struct CniAddress {
    bool is_v6 = false;
    std::string address; // without the prefix, as inet_ntop writes it
    unsigned prefix = 0;
    std::string gateway; // may be empty

    std::string subnet() const; // "172.16.28.0/24"
    std::string mask() const;   // v4: "255.255.255.0"
    bool operator==(const CniAddress&) const = default;
};

struct CniResult {
    json::Value raw; // as the plugin gave it, to be handed on as prevResult
    std::vector<CniAddress> addresses;
    std::vector<std::string> host_interfaces; // those outside the pod
    std::vector<std::string> macs = {};       // of those inside, as the plugin wrote them
    DnsConfig dns;

    static CniResult from(const json::Cursor& cursor);
    const CniAddress* find(bool v6) const; // the first of that family
    bool operator==(const CniResult&) const = default;
};

} // namespace rocket::model
