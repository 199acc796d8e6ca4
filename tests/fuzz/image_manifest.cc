// SPDX-License-Identifier: Apache-2.0
// What was read can be written, and is the same when it is read again (RT-2..7).
#include "common/model/image_manifest.hh"

#include "target.hh"

ROCKET_FUZZ([](std::string_view text) {
    using rocket::model::ImageManifest;
    const auto manifest = ImageManifest::parse(text);
    rocket::fuzz::promise(ImageManifest::parse(manifest.write()) == manifest);
})
