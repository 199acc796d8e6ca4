// SPDX-License-Identifier: Apache-2.0
// The configuration of a Docker or OCI image (oci.md chapter 8). Errors: Kind::corrupt with the place.
#pragma once

#include "stage0/oci/documents.hh"

namespace rocket::oci
{

struct ImageConfig {
    Platform platform;
    std::vector<store::ContentDigest> diff_ids; // the lowest layer first
    std::string author = {};
    std::string created = {};

    std::string user = {};
    std::vector<std::string> exposed_ports = {}; // keys as they stand
    std::vector<std::string> environment = {};   // NAME=VALUE as they stand
    std::vector<std::string> entrypoint = {};
    std::vector<std::string> command = {};
    std::vector<std::string> volumes = {};
    std::string working_directory = {};
    std::map<std::string, std::string> labels = {};
    std::string stop_signal = {};
    std::string healthcheck = {}; // JSON; empty: none

    static ImageConfig parse(std::string_view text);
};

} // namespace rocket::oci
