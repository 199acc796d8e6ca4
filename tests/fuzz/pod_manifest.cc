// SPDX-License-Identifier: Apache-2.0
// What was read can be written, and is the same when it is read again (RT-2..7).
#include "common/model/pod_manifest.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using rocket::model::PodManifest;
    const auto manifest = PodManifest::parse(text);
    rocket::fuzz::promise(PodManifest::parse(manifest.write()) == manifest);
})
