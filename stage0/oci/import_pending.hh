// SPDX-License-Identifier: Apache-2.0
// What a member of the group rocket fetches, who cannot render: all that root needs to take the image in later
// (store/pending.hh), under the id that root will find it has. And the other side: the documents and layers of such an
// image, as a place that images come from like any other. Errors as in import_image.hh.
#pragma once

#include <map>

#include "stage0/oci/convert.hh"
#include "stage0/oci/resolve.hh"
#include "stage0/oci/shared_store.hh"
#include "stage0/store/pending.hh"

namespace rocket::oci
{

// Hands on what another place gives, and keeps the documents.
class KeptDocuments : public Content
{
public:
    explicit KeptDocuments(Content& from) : from_{from} {}
    std::string document(const Descriptor& descriptor, std::uint64_t limit) override;
    void layers(std::span<const LayerPlace> places, const OnLayer& done) override { from_.layers(places, done); }
    const std::map<store::ContentDigest, std::string>& kept() const noexcept { return kept_; }

private:
    Content& from_;
    std::map<store::ContentDigest, std::string> kept_;
};

// How the image was found.
struct Finding {
    store::PendingFacts facts;
    std::map<store::ContentDigest, std::string> documents; // from facts.document down to the configuration
    std::vector<std::string> signatures = {};
};

model::ImageId import_pending(store::Store& store, Content& content, const ResolvedImage& image, Origin origin,
                              const Finding& finding, const store::Import::Facts& facts, const Warn& warn,
                              const LayerTick& tick = {});

class PendingContent : public Content
{
public:
    // Layers that root has already need not be in the image.
    explicit PendingContent(const store::PendingImage& image) : image_{image} {}
    std::string document(const Descriptor& descriptor, std::uint64_t limit) override;
    std::string document(const store::ContentDigest& digest, std::uint64_t limit) const; // not compared yet
    void layers(std::span<const LayerPlace> places, const OnLayer& done) override;

private:
    const store::PendingImage& image_;
};

} // namespace rocket::oci
