// SPDX-License-Identifier: Apache-2.0
// A pod as stage0 left it in its directory: read once, completely checked, and from then on plain data. Promises: the
// manifest is reified (each app has an image id and an app, each mount a volume, POD-4, POD-5), the apps of manifest
// and runtime.json are the same, and all paths in runtime.json are absolute. Errors: Kind::corrupt, Kind::usage.
#pragma once

#include <vector>

#include "common/model/image_manifest.hh"
#include "common/model/names.hh"
#include "common/model/pod_manifest.hh"
#include "common/model/runtime.hh"
#include "common/sys/fd.hh"

namespace rocket::stage1
{

struct Pod {
    model::PodId id;
    Fd dir; // the pod directory
    model::PodManifest manifest;
    model::Runtime runtime;
    std::vector<model::ImageManifest> images; // of manifest.apps, in the same order

    const model::App& app(std::size_t index) const { return *manifest.apps[index].app; }
};

Pod load_pod(const model::PodId& id, Fd dir);
// As the pod directory is now, with this app only.
Pod load_app(const model::PodId& id, Fd dir, const model::AppName& app);

// Whether the app says itself when it is ready: its annotation rocket/notify or, if it has none,
// appc.io/executor/supports-systemd-notify, or that of its image (IM-9).
bool says_when_ready(const model::RuntimeApp& app, const model::ImageManifest& image);

// The app that speaks for the pod to the host's service manager: the one with rocket/notify=speaker or, if there is
// none, the first that says when it is ready. A null pointer: none does. Kind::usage: several want to.
const model::RuntimeApp* speaker_of(const Pod& pod);

} // namespace rocket::stage1
