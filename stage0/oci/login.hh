// SPDX-License-Identifier: Apache-2.0
// User names and passwords for registries in the files that `docker login` and `podman login` leave (OAUTH-10).
// Credential helpers are not run. A file that cannot be read or is no JSON is as good as none.
#pragma once

#include <optional>
#include <string>

#include "stage0/config/config.hh"

namespace rocket::oci
{

// For a registry as it is written in references; the user's environment says where the files are.
std::optional<config::BasicAuth> find_login(const std::string& host);

std::optional<config::BasicAuth> login_in(std::string_view file_content, const std::string& host);
std::string basic_authorization(const config::BasicAuth& login); // "Basic ..."

} // namespace rocket::oci
