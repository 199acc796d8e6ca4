// SPDX-License-Identifier: Apache-2.0
// What a simple signature of a Docker image says ("atomic container signature", as skopeo and podman make it): which
// manifest is meant, and under which name it was published. Read only after the OpenPGP signature around it was found
// good. Pure. Errors: Kind::untrusted with the reason and what to do.
#pragma once

#include <string>
#include <string_view>

#include "stage0/oci/docker_name.hh"

namespace rocket::oci
{

struct Claim {
    std::string reference; // as the signer wrote it
    store::ContentDigest manifest;

    static Claim parse(std::string_view payload);
};

// Which names a signature may be for (containers-policy.json(5), signedIdentity).
struct Identity {
    enum class Match {
        exact,              // the name asked for
        repository_and_tag, // the same; asked by digest, any of the same repository
        repository,         // any of the same repository
        exact_reference,    // `name`
        exact_repository,   // any of the repository `name`
    };
    Match match = Match::repository_and_tag;
    std::string name = {};
    std::string prefix = {};        // if not empty: what the name asked for begins with...
    std::string signed_prefix = {}; // ...and what signatures have instead
};

// That the claim is about this manifest and about a name that may stand for the one asked for.
void check_claim(const Claim& claim, const DockerName& wanted, const store::ContentDigest& manifest,
                 const Identity& identity = {});

// Where signatures of a manifest lie, below the configured place: PATH@sha256=HEX/signature-N, N from 1.
std::string signature_path(const DockerName& name, const store::ContentDigest& manifest, unsigned number);

} // namespace rocket::oci
