// SPDX-License-Identifier: Apache-2.0
// registries.d of the container tools.
#include "stage0/oci/lookaside.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using namespace rocket;
    oci::Lookaside lookaside;
    lookaside.add(text, "file");
    const auto place = lookaside.place_of(oci::DockerName::parse("example.com/team/app"));
    fuzz::promise(place.empty() || place.starts_with("https://") || place.starts_with("/"));
})
