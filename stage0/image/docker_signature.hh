// SPDX-License-Identifier: Apache-2.0
// The signatures of a Docker image: fetched from where the configuration says that they lie, or stored with it,
// verified with the keys that are trusted for the image's name, and read (oci/simple_signing.hh). One that is good in
// all respects suffices, or one for each demand of a policy. Errors: Kind::untrusted.
#pragma once

#include <vector>

#include "stage0/image/session.hh"
#include "stage0/oci/registry_rules.hh"

namespace rocket::image
{

struct DockerGrounds {
    std::string fingerprint;             // of the key
    std::vector<std::string> signatures; // bytes of each that was needed
};
// Where signatures are: the one of that number, from 1, of a manifest; nullopt: there are no more.
struct SignaturePlace {
    std::string name; // for messages
    std::function<std::optional<std::string>(const store::ContentDigest& manifest, unsigned number)> find;
};
SignaturePlace signatures_at(Session& session, const oci::DockerName& name, const std::string& place); // as configured

// All that `rules` demand. `manifests`: digests that stand for the image, the one by which it was asked for first.
DockerGrounds verify_docker(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                            const SignaturePlace& place, const std::vector<store::ContentDigest>& manifests);

// Of an image that root has let in by this signature: whether it meets one of the demands that a policy makes by now.
// That it is a signature of this image was seen then.
bool is_still_demanded(Session& session, const oci::DockerName& name, const oci::Rules& rules,
                       const std::string& signature);

} // namespace rocket::image
