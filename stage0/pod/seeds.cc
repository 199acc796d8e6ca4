// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/seeds.hh"

#include <algorithm>

#include "common/model/layout.hh"
#include "common/sys/text.hh"
#include "stage0/store/copy_tree.hh"

namespace rocket::pod
{

namespace
{

std::optional<store::MergedEntry> find_directory(const store::LayerStack& trees, const std::string& path)
{
    auto entry = trees.find(trees.resolve(path));
    return entry && entry->directory ? std::move(entry) : std::nullopt;
}

} // namespace

void describe_seeds(model::PodManifest& manifest, const std::vector<Image>& images, std::vector<Seed>& seeds)
{
    std::erase_if(seeds, [&](const Seed& seed) {
        const auto entry = find_directory(store::LayerStack::open(images.at(seed.app).trees), seed.path);
        if (!entry)
            return true;
        const auto volume = std::ranges::find(manifest.volumes, seed.volume, &model::Volume::name);
        volume->mode = entry->info.st_mode & 07777U;
        volume->uid = entry->info.st_uid;
        volume->gid = entry->info.st_gid;
        return false;
    });
}

void plant_seed(const Seed& seed, const Image& image, int pod_dir, const std::function<void()>& tick)
{
    with_context(
        fmt::format("copying {} of the image into volume {}", text::quoted(seed.path), text::quoted(seed.volume.str())),
        [&] {
            const auto trees = store::LayerStack::open(image.trees);
            const auto entry = find_directory(trees, seed.path);
            if (!entry)
                fail(Error::Kind::system, "it has vanished");
            store::copy_tree(entry->directory, pod_dir, model::pod_dir::volume(seed.volume), tick,
                             store::Devices::refused);
        });
}

} // namespace rocket::pod
