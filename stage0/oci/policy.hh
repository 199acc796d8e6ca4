// SPDX-License-Identifier: Apache-2.0
// containers-policy.json(5): what an administrator demands of images for all container tools of a host. What it forbids
// is forbidden and what it demands is demanded; what it lets in unsigned is let in only by a scope that names the image
// or a prefix of it. "insecureAcceptAnything" for everything or for a whole transport, as distributions ship it, does
// not switch Rocket's own verification off. Pure. Errors: Kind::corrupt with the file and the place in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/oci/docker_name.hh"
#include "stage0/oci/simple_signing.hh"

namespace rocket::oci
{

// A signature by one of these keys, under a name that fits.
struct SignedBy {
    std::vector<std::string> key_paths = {}; // of key files, absolute
    std::string key_data = {};               // or their content
    Identity identity = {};
};

// What one scope says.
struct Demands {
    std::string scope = {}; // for messages: where it is written
    bool is_rejected = false;
    bool is_anything_taken = false;
    std::vector<SignedBy> signatures = {}; // each is demanded
};

class Policy
{
public:
    Policy() = default; // demands nothing and lets in nothing
    static Policy parse(std::string_view text, const std::string& file);

    // The most specific scope decides: image, repository, its parents, host, *.DOMAIN, the transport, the default.
    Demands of_docker(const DockerName& name) const;
    // "oci", "oci-archive", "docker-archive"; an absolute path: it, its parents, the transport, the default.
    Demands of_file(std::string_view transport, const std::string& path) const;

private:
    using Scopes = std::map<std::string, Demands, std::less<>>;
    Demands find(std::string_view transport, const std::vector<std::string>& scopes) const;

    std::map<std::string, Scopes, std::less<>> transports_;
    Demands default_;
};

// Kind::untrusted, naming the scope, if it rejects.
void refuse_rejected(const Demands& demands, std::string_view image);

} // namespace rocket::oci
