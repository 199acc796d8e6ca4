// SPDX-License-Identifier: Apache-2.0
// What goes into an image's rendered tree: its own content, the trees of the images it was pinned to, its whitelist.
// Two recipes have the same name if and only if the trees are the same (REN-17). Errors: Kind::not_found, with the
// chain, if a dependency is not in the store; Kind::corrupt beyond deepest_dependency.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stage0/store/store.hh"

namespace rocket::store
{

constexpr std::size_t deepest_dependency = 32; // R16
constexpr std::size_t most_dependencies = 500; // R16: images below one image, each counted once

struct Recipe {
    std::string name; // hex; of an image that stands alone, the digest of its content
    std::string own;  // hex: that digest
    std::vector<model::ImageId> dependencies;
    std::vector<std::string> whitelist;

    bool is_composed() const noexcept { return !dependencies.empty() || !whitelist.empty(); }
};

class RecipeBook
{
public:
    explicit RecipeBook(const Store& store) : store_{store} {}

    Recipe of(const model::ImageId& id);                                   // in the store
    Recipe of(const Record& record, const model::ImageManifest& manifest); // about to come into it

private:
    const std::string& name_of(const model::ImageId& id);

    const Store& store_;
    std::map<model::ImageId, std::string> names_; // an image may be reached on many paths
    std::size_t depth_ = 0;
};

} // namespace rocket::store
