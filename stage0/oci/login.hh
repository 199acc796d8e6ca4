// SPDX-License-Identifier: Apache-2.0
// User names and passwords for registries in the files that `docker login` and `podman login` leave (OAUTH-10).
// Credential helpers are not run. A file that cannot be read or is no JSON is as good as none.
#pragma once

#include <optional>
#include <string>

#include "stage0/config/config.hh"

namespace rocket::oci
{

// Who we are to one registry.
struct Login {
    std::optional<config::BasicAuth> password = {};
    std::optional<config::Secret> identity_token = {}; // for its token server (OAUTH-5)
    bool operator==(const Login&) const = default;
};

// For a registry as it is written in references; the user's environment says where the files are.
std::optional<Login> find_login(const std::string& host);

// What is meant by a registry in a login file or in the configuration: the host that is asked. https://host/v1/ and the
// like are spellings of it, and the Hub has several.
std::string registry_host(std::string key);

std::optional<Login> login_in(std::string_view file_content, const std::string& host);
std::string basic_authorization(const config::BasicAuth& login); // "Basic ..."

} // namespace rocket::oci
