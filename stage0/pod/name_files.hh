// SPDX-License-Identifier: Apache-2.0
// What the pod gets as /etc/resolv.conf and /etc/hosts, by --dns*, --hosts-entry and --hostname (cli 7.3). Checked
// before anything is prepared (Q24). Pure. Errors: Kind::usage.
#pragma once

#include <string>
#include <vector>

#include "common/model/cni_result.hh"

namespace rocket::pod
{

struct NameOptions {
    std::vector<std::string> dns; // lists of addresses, or "host", or "none"
    std::vector<std::string> dns_search;
    std::vector<std::string> dns_opt;
    std::string dns_domain;
    std::vector<std::string> hosts_entries; // IP=NAME[,IP=NAME]..., or "host"
    std::string hostname;                   // empty: rkt-UUID
};

// For --dns-conf-mode; where a mode is "stage0" there is content, to be written into the pod directory.
struct NameFiles {
    std::string resolv_mode = "default"; // host, stage0, none, default
    std::string hosts_mode = "default";  // host, stage0, default
    std::string resolv_conf = {};
    model::DnsConfig dns = {}; // the same, taken apart
    std::string hosts = {};    // without the line of the pod's own name
};

NameFiles name_files(const NameOptions& options);
std::string hosts_with_name(const NameFiles& files, const std::string& hostname);

} // namespace rocket::pod
