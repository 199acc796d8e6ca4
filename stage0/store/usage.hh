// SPDX-License-Identifier: Apache-2.0
// Which images pods use: what each pod directory says of itself in runtime.json. A pod whose record cannot be read
// might use any image, and is an error for whoever is about to remove one (Kind::busy).
#pragma once

#include <map>
#include <string>

#include "common/model/layout.hh"

namespace rocket::store
{

enum class Using {
    alive, // pods that run, or will
    kept,  // those, and the ones that have ended and are still there: they can be exported, and looked into
};

// Image → the UUID of one of the pods that use it. The caller holds the prepare lock, or does not mind pods to come.
std::map<model::ImageId, std::string> images_used_by_pods(const model::Layout& layout, Using which);

} // namespace rocket::store
