// SPDX-License-Identifier: Apache-2.0
// An image in a registry that speaks the distribution protocol (oci.md chapter 2): documents and layers by digest, the
// first document by tag. What has a digest may come from mirrors, which are asked first, in order; what they give
// wrongly is asked for again. Errors: those of endpoint.hh.
#pragma once

#include <memory>

#include "common/model/layout.hh"
#include "stage0/oci/blob_file.hh"
#include "stage0/oci/content.hh"
#include "stage0/oci/docker_name.hh"
#include "stage0/oci/endpoint.hh"

namespace rocket::oci
{

class Registry : public Content
{
public:
    struct Hooks {
        Endpoint::Say say = {}; // warnings of registries
        Endpoint::Say debug = {};
        fetch::Progress progress = {}; // of all layers together
        std::function<void(const store::ContentDigest&, std::uint64_t, std::optional<std::uint64_t>)> layer_progress =
            {};
    };
    // Who has the image: mirrors first, the registry itself last.
    struct Place {
        std::string host;
        std::string repository;
        std::optional<Login> login = {};
        bool knows_tags = false; // may be asked what a tag means
    };
    Registry(fetch::Client& client, DockerName name, std::vector<Place> places, model::Layout layout, Hooks hooks);

    struct Named {
        std::string document;
        std::string media_type;
    };
    Named named(); // what the name means now; has the digest, if the name brings one

    std::string document(const Descriptor& descriptor, std::uint64_t limit) override;
    void layers(std::span<const LayerPlace> places, const OnLayer& done) override;

private:
    class Download;
    Endpoint& at(std::size_t place);
    bool is_last(std::size_t place) const noexcept { return place + 1 == places_.size(); }
    template <typename Act>
    auto first_good(Act&& act);
    Named manifest(Endpoint& endpoint, const std::string& reference);

    fetch::Client& client_;
    DockerName name_;
    std::vector<Place> places_;
    model::Layout layout_;
    Hooks hooks_;
    std::vector<std::unique_ptr<Endpoint>> endpoints_; // by place; null: not asked yet
};

} // namespace rocket::oci
