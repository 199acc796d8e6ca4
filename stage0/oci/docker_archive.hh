// SPDX-License-Identifier: Apache-2.0
// What `docker save` writes: manifest.json, configurations and layers by path (oci.md chapter 10).
// Errors: Kind::corrupt, Kind::not_found, Kind::usage.
#pragma once

#include "stage0/oci/archive.hh"
#include "stage0/oci/resolve.hh"

namespace rocket::oci
{

struct SavedImage {
    std::string config_path;
    std::vector<std::string> layers; // paths, the lowest first
    std::vector<std::string> tags;   // as they stand
};

// The one that `name` means: a tag, "@N", or the only one if it is empty (ODAR-2).
SavedImage find_saved(const Files& files, const std::string& name);
// The configuration, which has to have the digest that it is named by (ODAR-4).
std::string saved_config(const Files& files, const SavedImage& image);

// That configuration and these layers; nothing has said which digest they have as they are in the archive.
ResolvedImage resolve_saved(std::string config, const std::vector<std::string>& layer_paths);

class SavedContent : public Content
{
public:
    explicit SavedContent(const Files& files) : files_{files} {}
    [[noreturn]] std::string document(const Descriptor& descriptor, std::uint64_t limit) override;
    void layers(std::span<const LayerPlace> places, const OnLayer& done) override;

private:
    const Files& files_;
};

} // namespace rocket::oci
