// SPDX-License-Identifier: Apache-2.0
// From what the user asked for and what the images say to the pod manifest that is executed: everything resolved,
// overrides applied and checked again, so that the manifest shown is what ran (EFF-1..4, VOL-5, POD-5, cli 7.2-7.6).
// Pure. Errors: Kind::usage or Kind::corrupt.
#pragma once

#include <string>
#include <vector>

#include "common/model/pod_manifest.hh"
#include "stage0/pod/image.hh"
#include "stage0/pod/request.hh"
#include "stage0/pod/seeds.hh"

namespace rocket::pod
{

struct Reified {
    model::PodManifest manifest;
    std::vector<Seed> seeds;           // volumes for which images have content (OMAP-7)
    std::vector<std::string> warnings; // generated volumes, isolators of the pod not in force (VOL-5, ISO-5)
};

// images[i] is what request.apps[i].image was resolved to. An image without app section runs as `uid`, `gid`.
Reified reify(const PodRequest& request, const std::vector<Image>& images, uid_t uid, gid_t gid);

// --pod-manifest: exactly this pod; images[i] is that of manifest.apps[i].
Reified reify(model::PodManifest manifest, const std::vector<Image>& images);

// One more app for a pod, as the last of its manifest. Arguments without --exec replace those of the image (cli 7.2).
Reified reify_added(model::PodManifest manifest, const AppRequest& app, const Image& image, uid_t uid, gid_t gid);

} // namespace rocket::pod
