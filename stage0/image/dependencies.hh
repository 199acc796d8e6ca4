// SPDX-License-Identifier: Apache-2.0
// What an image depends on (appc chapter 8): looked up when the image is fetched, and from then on pinned by id, so
// that the same image always becomes the same tree. Each dependency is verified by its own name, as any other image.
// Errors: Kind::not_found, Kind::untrusted; Kind::corrupt for a dependency that is not what the manifest says, for
// cycles and for chains that are too long. All name the images on the way.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/image_manifest.hh"
#include "common/model/image_name.hh"
#include "stage0/store/store.hh"

namespace rocket::image
{

class Dependencies
{
public:
    // Gets an image that may not be in the store, with its own dependencies, and stores it. The labels are those that
    // are asked for, with os and arch if the image that depends on it is for another platform than this one.
    using Fetch = std::function<model::ImageId(const model::ImageName& name, std::uint64_t size)>;

    enum class First { store, fetch }; // where an image is looked for first: pull policies new and never, or update

    // Makes an image of the store one that may be believed, or throws; see Session.
    using TakeOver = std::function<void(const model::ImageId& id)>;

    Dependencies(
        store::Store& store, bool verified_only, TakeOver take_over = [](const model::ImageId&) {})
        : store_{store}, verified_only_{verified_only}, take_over_{std::move(take_over)}
    {
    }
    // How to do it from now on; without `fetch`, with what is in the store.
    void use(First first, Fetch fetch);

    // Everything an image needs that is about to come into the store, in the order of its manifest.
    std::vector<model::ImageId> resolve(const model::ImageId& id, const model::ImageManifest& manifest);
    // An image that is in the store: what it was pinned to is there too, or is got again.
    void complete(const model::ImageId& id);

private:
    struct Link {
        model::ImageId id;
        std::string name;
    };
    model::ImageId resolve(const model::ImageManifest& dependent, const model::Dependency& dependency);
    std::optional<model::ImageId> find(const model::ImageManifest& dependent,
                                       const model::Dependency& dependency) const;
    std::optional<model::ImageId> fetch(const model::ImageManifest& dependent, const model::Dependency& dependency);
    void check(const model::ImageId& id, const model::ImageManifest& dependent,
               const model::Dependency& dependency) const;
    class Visit;                                        // one image on the chain
    std::string path_to(const std::string& name) const; // "a" -> "b" -> name

    store::Store& store_;
    bool verified_only_;
    TakeOver take_over_;
    First first_ = First::store;
    Fetch fetch_;
    std::vector<Link> chain_; // the images whose dependencies are being looked at
    std::set<model::ImageId> complete_;
};

} // namespace rocket::image
