// SPDX-License-Identifier: Apache-2.0
// Names of images in registries, and what simple signatures say about them. The first byte chooses.
#include "stage0/oci/simple_signing.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using namespace rocket;
    if (text.empty())
        return;
    const auto rest = text.substr(1);
    if (text.front() == 's') {
        const auto claim = oci::Claim::parse(rest);
        const auto name = oci::DockerName::parse("example.com/a:1");
        oci::check_claim(claim, name, claim.manifest);
        fuzz::promise(oci::DockerName::parse(claim.reference).str() == name.str());
        return;
    }
    const auto name = oci::DockerName::parse(rest);
    fuzz::promise(oci::DockerName::parse(name.str()).str() == name.str());
    fuzz::promise(!name.path.empty() && !name.api_host().empty());
})
