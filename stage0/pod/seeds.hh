// SPDX-License-Identifier: Apache-2.0
// What an image has where one of its own volumes goes: a converted Docker or OCI image expects to find it in the volume
// that it gets because nobody gave another (OMAP-7). It is copied into the pod directory while that is being made, so
// once and whole or not at all, with owners, modes, times, attributes and links (F9). Paths of the image are followed
// inside it, by descriptors (S5). Errors: Kind::usage for a device in it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/model/pod_manifest.hh"
#include "stage0/pod/image.hh"

namespace rocket::pod
{

struct Seed {
    model::VolumeName volume; // of the pod, or of the app alone
    std::size_t app;          // index in the manifest, and in the list of images
    std::string path;
    bool of_app = false;
};

// `images`: by index of the app. Mode and owner of these volumes become those of the directories in the images. Seeds
// whose path is no directory there go away: their volumes stay empty.
void describe_seeds(model::PodManifest& manifest, const std::vector<Image>& images, std::vector<Seed>& seeds);

// The same for the last app, the only one that has any.
void describe_seeds(model::PodManifest& manifest, const Image& image, std::vector<Seed>& seeds);

// Makes the volume's directory, of which only the parent is there. `app`: whose it is, if it is one app's alone.
void plant_seed(const Seed& seed, const model::AppName& app, const Image& image, int pod_dir,
                const std::function<void()>& tick);

} // namespace rocket::pod
