// SPDX-License-Identifier: Apache-2.0
// policy.json of the container tools: a policy that is taken decides, and lets in nothing by a default.
#include "stage0/oci/policy.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using namespace rocket;
    const auto policy = oci::Policy::parse(text, "file");
    const auto demands = policy.of_docker(oci::DockerName::parse("example.com/team/app"));
    fuzz::promise(demands.is_rejected || demands.is_anything_taken || !demands.signatures.empty() ||
                  text.find("insecureAcceptAnything") != text.npos || text.find('\\') != text.npos);
    policy.of_file("oci", "/a/b");
    for (const auto& demand : demands.signatures)
        fuzz::promise(demand.key_paths.empty() != demand.key_data.empty());
})
