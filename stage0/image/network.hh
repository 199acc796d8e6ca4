// SPDX-License-Identifier: Apache-2.0
// How images are fetched from other hosts: the HTTP client and whose credentials go where (cli 4.6).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "stage0/config/config.hh"
#include "stage0/fetch/http.hh"
#include "stage0/oci/login.hh"
#include "stage0/oci/lookaside.hh"
#include "stage0/oci/policy.hh"

namespace rocket::image
{

struct Network {
    fetch::Client client;
    fetch::Credentials for_images = {}; // and their signatures
    fetch::Credentials for_pages = {};  // of discovery
    // Of registries, by host; may be empty.
    std::function<std::optional<oci::Login>(const std::string& host)> docker_login = {};
    std::map<std::string, config::Registry> registries = {}; // by prefix
    // The host's policy for Docker and OCI images, read when one is asked for; null: there is none.
    std::function<oci::Policy()> policy = {};
    // Where the host's container tools look for signatures; the same.
    std::function<oci::Lookaside()> lookaside = {};
    std::string shipped = {}; // a directory of images that came with the host, looked at before the network; or empty

    explicit Network(fetch::Client::Options options) : client{options} {}
    Network(fetch::Client::Options options, const config::Config& config);
};

} // namespace rocket::image
