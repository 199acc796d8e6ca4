// SPDX-License-Identifier: Apache-2.0
// The JSON documents of Docker and OCI images, read strictly (oci.md chapters 4 to 6, 8): what has a known meaning has
// to have its form; members nobody knows are no error. Errors: Kind::corrupt; Kind::unsupported for what is no image,
// or one of a kind that Rocket does not run.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/json_object.hh"
#include "stage0/store/content_digest.hh"

namespace rocket::oci
{

using Annotations = std::map<std::string, std::string>;

enum class MediaKind { index, manifest, config, layer, schema1, other };
MediaKind kind_of(std::string_view media_type) noexcept;
// All that a registry may send for an image, for Accept (ODIST-3).
std::string accepted_manifests();

struct Platform {
    std::string os;
    std::string architecture;
    std::string variant = {};
    std::vector<std::string> os_features = {};
    bool operator==(const Platform&) const = default;
};

struct Descriptor {
    std::string media_type;
    store::ContentDigest digest;
    std::uint64_t size = 0;
    std::vector<std::string> urls = {};
    Annotations annotations = {};
    std::optional<Platform> platform = {};

    static Descriptor from(const model::json::Cursor& cursor);
};

struct Index {
    std::vector<Descriptor> manifests;
    static Index parse(std::string_view text);
};

struct Manifest {
    Descriptor config;
    std::vector<Descriptor> layers; // the lowest first
    Annotations annotations = {};
    static Manifest parse(std::string_view text);
};

// What the body of a document is, by its own words or else by its shape (ODIST-4, OMT-10). `stated`: the type that
// came with it; empty: none. Throws if the two differ, and for schema 1.
MediaKind document_kind(std::string_view text, std::string_view stated);

constexpr std::size_t largest_manifest = std::size_t{4} << 20;
constexpr std::size_t largest_config = std::size_t{16} << 20;

} // namespace rocket::oci
