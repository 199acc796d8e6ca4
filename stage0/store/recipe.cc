// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/recipe.hh"

#include "common/sys/text.hh"
#include "stage0/store/hash.hh"

namespace rocket::store
{

Recipe RecipeBook::of(const Record& record, const model::ImageManifest& manifest)
{
    Recipe recipe{.name = record.tree_digest,
                  .own = record.tree_digest,
                  .dependencies = record.dependencies,
                  .whitelist = manifest.path_whitelist};
    if (!recipe.is_composed())
        return recipe;
    Sha256Hasher hasher;
    hasher.add(record.tree_digest);
    for (const auto& dependency : recipe.dependencies)
        hasher.add("\ndependency " + name_of(dependency));
    for (const auto& path : recipe.whitelist)
        hasher.add("\nwhitelist " + text::quoted(path));
    recipe.name = text::hex(hasher.finish());
    return recipe;
}

Recipe RecipeBook::of(const model::ImageId& id)
{
    const auto record = store_.record(id);
    const auto manifest = store_.manifest(id);
    return with_context(fmt::format("the dependencies of image {} ({})", text::quoted(manifest.name.str()), id.key()),
                        [&] { return of(record, manifest); });
}

const std::string& RecipeBook::name_of(const model::ImageId& id)
{
    if (const auto known = names_.find(id); known != names_.end())
        return known->second;
    if (depth_ == deepest_dependency)
        fail(Error::Kind::corrupt, "images depend on each other more than {} levels deep", deepest_dependency);
    if (names_.size() == most_dependencies)
        fail(Error::Kind::corrupt, "an image depends on more than {} others", most_dependencies);
    depth_ += 1;
    auto name = of(id).name;
    depth_ -= 1;
    return names_.emplace(id, std::move(name)).first->second;
}

} // namespace rocket::store
