// SPDX-License-Identifier: Apache-2.0
// What the configuration says about one repository: item by item the longest prefix decides that says anything, where
// prefixes are compared by whole components. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stage0/config/config.hh"
#include "stage0/oci/docker_name.hh"
#include "stage0/oci/policy.hh"

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
    std::vector<SignedBy> signed_by = {}; // each is demanded; without any: by a key that is trusted for the name
};

Rules rules_for(const std::map<std::string, config::Registry>& registries, const DockerName& name);

// Adds what the host's policy demands, and what it lets in by name; Kind::untrusted if it rejects the image.
void apply(const Policy& policy, const DockerName& name, Rules& rules);

} // namespace rocket::oci
