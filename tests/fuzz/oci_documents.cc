// SPDX-License-Identifier: Apache-2.0
// What a registry or an archive says an image is: indexes, manifests, configurations, and the accounts in its layers.
// The first byte chooses.
#include <algorithm>

#include "stage0/oci/image_config.hh"
#include "stage0/oci/select.hh"
#include "stage0/oci/users.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using namespace rocket;
    if (text.empty())
        return;
    const auto rest = text.substr(1);
    switch (text.front()) {
    case 'c': {
        const auto config = oci::ImageConfig::parse(rest);
        fuzz::promise(oci::normalized(oci::normalized(config.platform)) == oci::normalized(config.platform));
        return;
    }
    case 'i': {
        const auto index = oci::Index::parse(rest);
        const auto chosen = oci::select(index, {.os = "linux", .architecture = "amd64", .variant = "v3"});
        fuzz::promise(!chosen.empty() && chosen.size() <= index.manifests.size());
        return;
    }
    case 'm':
        if (oci::document_kind(rest, "") == oci::MediaKind::manifest)
            oci::Manifest::parse(rest);
        return;
    default: {
        const auto user = oci::resolve_user(rest.substr(0, rest.find('\n')), rest, rest);
        fuzz::promise(std::ranges::is_sorted(user.supplementary_gids));
    }
    }
})
