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

// That the claim is about this manifest and about the name asked for: the same tag; asked by digest, the same
// repository.
void check_claim(const Claim& claim, const DockerName& wanted, const store::ContentDigest& manifest);

// Where signatures of a manifest lie, below the configured place: PATH@sha256=HEX/signature-N, N from 1.
std::string signature_path(const DockerName& name, const store::ContentDigest& manifest, unsigned number);

} // namespace rocket::oci
