// SPDX-License-Identifier: Apache-2.0
// containers-registries.d(5): where the container tools of a host look for simple signatures, in YAML files. Read are
// default-docker and the scopes of docker, of each `lookaside` or, as it was called before, `sigstore`. Where
// signatures are written (lookaside-staging) and whether cosign's are used are other tools' business, and passed over.
// Pure. Errors: Kind::corrupt with file and line.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "stage0/oci/docker_name.hh"

namespace rocket::oci
{

class Lookaside
{
public:
    // Adds what one file says; a scope that another file has already is an error.
    void add(std::string_view yaml, const std::string& file);

    // The most specific scope that has a place decides: image, repository, its parents, host, the default. An https URL
    // or an absolute path; empty: nobody says. Kind::unsupported for a place of another kind.
    std::string place_of(const DockerName& name) const;

private:
    struct Place {
        std::string url; // empty: this scope says nothing of it
        std::string where;
    };
    std::map<std::string, Place, std::less<>> scopes_; // "": the default
};

} // namespace rocket::oci
