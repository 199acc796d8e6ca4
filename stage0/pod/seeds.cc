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

model::Volume& volume_of(model::PodManifest& manifest, const Seed& seed)
{
    if (!seed.of_app)
        return *std::ranges::find(manifest.volumes, seed.volume, &model::Volume::name);
    auto& mounts = manifest.apps.at(seed.app).mounts;
    return *std::ranges::find(mounts, seed.path, &model::Mount::path)->app_volume;
}

// False if there is nothing to plant.
bool describe(const Seed& seed, const Image& image, model::PodManifest& manifest)
{
    const auto entry = find_directory(store::LayerStack::open(image.trees), seed.path);
    if (!entry)
        return false;
    auto& volume = volume_of(manifest, seed);
    volume.mode = entry->info.st_mode & 07777U;
    volume.uid = entry->info.st_uid;
    volume.gid = entry->info.st_gid;
    return true;
}

} // namespace

void describe_seeds(model::PodManifest& manifest, const std::vector<Image>& images, std::vector<Seed>& seeds)
{
    std::erase_if(seeds, [&](const Seed& seed) { return !describe(seed, images.at(seed.app), manifest); });
}

void describe_seeds(model::PodManifest& manifest, const Image& image, std::vector<Seed>& seeds)
{
    std::erase_if(seeds, [&](const Seed& seed) { return !describe(seed, image, manifest); });
}

void plant_seed(const Seed& seed, const model::AppName& app, const Image& image, int pod_dir,
                const std::function<void()>& tick)
{
    with_context(
        fmt::format("copying {} of the image into volume {}", text::quoted(seed.path), text::quoted(seed.volume.str())),
        [&] {
            const auto trees = store::LayerStack::open(image.trees);
            const auto entry = find_directory(trees, seed.path);
            if (!entry)
                fail(Error::Kind::system, "it has vanished");
            const auto place =
                seed.of_app ? model::pod_dir::volume(app, seed.volume) : model::pod_dir::volume(seed.volume);
            store::copy_tree(entry->directory, pod_dir, place, tick, store::Devices::refused);
        });
}

} // namespace rocket::pod
