// SPDX-License-Identifier: Apache-2.0
// The signatures of a Docker image: fetched from where the configuration says that they lie, verified with the keys
// that are trusted for the image's name, and read (oci/simple_signing.hh). One that is good in all respects suffices.
// Errors: Kind::untrusted.
#pragma once

#include <vector>

#include "stage0/image/session.hh"
#include "stage0/oci/registry_rules.hh"

namespace rocket::image
{

struct DockerGrounds {
    std::string fingerprint; // of the key
    std::string signature;   // bytes
};
// All that `rules` demand, looked for at rules.signatures. `manifests`: digests that stand for the image, the one by
// which it was asked for first.
DockerGrounds verify_docker(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                            const std::vector<store::ContentDigest>& manifests);

} // namespace rocket::image
