// SPDX-License-Identifier: Apache-2.0
// What the configuration says about one repository: item by item the longest prefix decides that says anything, where
// prefixes are compared by whole components. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stage0/config/config.hh"
#include "stage0/oci/docker_name.hh"

namespace rocket::oci
{

struct Rules {
    struct Mirror {
        std::string host;
        std::string repository;
        bool operator==(const Mirror&) const = default;
    };
    std::vector<Mirror> mirrors; // the first is asked first
    bool mirror_tags = false;
    std::string signatures; // https URL or absolute path; empty: nobody knows
    bool are_unsigned_taken = false;
};

Rules rules_for(const std::map<std::string, config::Registry>& registries, const DockerName& name);

} // namespace rocket::oci
