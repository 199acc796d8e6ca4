// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/render.hh"

#include "common/sys/sys.hh"
#include "stage0/store/compose.hh"
#include "stage0/store/set_ids.hh"
#include "stage0/store/tree_walk.hh"

namespace rocket::store
{

TreeStatement finish_staged_tree(Store& store, int staging, const TreeStatement& own, const Recipe& recipe)
{
    if (!recipe.is_composed())
        return own;
    const auto tick = [&] {
        if (store.options().tick)
            store.options().tick(0, 0);
    };
    std::vector<Fd> layers;
    for (const auto& dependency : recipe.dependencies) {
        const auto trees = store.render(dependency);
        if (trees.size() > 1)
            throw Error{Error::Kind::unsupported,
                        fmt::format("{} (image {}) is made of layers, so no other can depend on it",
                                    text::quoted(store.manifest(dependency).name.str()), dependency.shortened(12)),
                        "`rocket image export` makes an App Container image of it, on which others can"};
        layers.push_back(sys::open(AT_FDCWD, trees.front(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    }
    layers.push_back(set_staged_tree_aside(staging));
    Composition composition{
        .layers = {}, .whitelist = recipe.whitelist, .most_entries = store.options().limits.members, .tick = tick};
    for (const auto& layer : layers)
        composition.layers.push_back(layer.get());
    const auto root = make_staged_tree(staging);
    for (const auto& path : compose(composition, root.get()))
        if (store.options().debug)
            store.options().debug(fmt::format("nothing provides {} of the pathWhitelist", text::quoted(path)));
    return {.digest = text::hex(digest_of_tree(root.get(), tick)),
            .recipe = recipe.name,
            .lacks_set_ids = !may_make_set_ids()}; // directories among them
}

} // namespace rocket::store
