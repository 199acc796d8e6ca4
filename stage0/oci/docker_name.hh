// SPDX-License-Identifier: Apache-2.0
// A name of an image in a registry, as users write it, and what it means (OREF-1..8). Errors: Kind::usage.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stage0/store/content_digest.hh"

namespace rocket::oci
{

struct DockerName {
    std::string domain; // "docker.io" unless it is written
    std::string path;
    std::string tag; // "latest" if there is neither tag nor digest
    std::optional<store::ContentDigest> digest = {};

    static DockerName parse(std::string_view text); // without "docker://"
    std::string api_host() const;                   // which server to ask
    std::string repository() const { return api_host() + "/" + path; }
    std::string str() const;     // HOST/PATH:TAG or HOST/PATH@DIGEST
    std::string version() const; // the label of the converted image
    std::string reference() const { return digest ? digest->str() : tag; }
    bool operator==(const DockerName&) const = default;
};

} // namespace rocket::oci
