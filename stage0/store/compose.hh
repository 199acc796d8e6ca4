// SPDX-License-Identifier: Apache-2.0
// The tree of an image that depends on others, or has a pathWhitelist: rendered trees laid over one another, then
// filtered (appc chapter 9). Since every image is rendered for itself first, whitelists of dependencies have done their
// work already, and what REN-2 and REN-9 ask for follows from laying whole trees over one another in list order.
// Files are hard links to those of the layers, which never change; only directories are made anew. All layers and the
// result have to be on one file system. Errors: Kind::system; Kind::corrupt beyond the limit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rocket::store
{

struct Composition {
    std::vector<int> layers;            // directories; later ones override earlier ones
    std::vector<std::string> whitelist; // as in the manifest; empty: no filter
    std::uint64_t most_entries = 0;     // of all layers together (R16): this work is not that of a limited process
    std::function<void()> tick = {};
};

// Fills the empty directory `to`. Returns the whitelisted paths that no layer has (REN-12).
std::vector<std::string> compose(const Composition& composition, int to);

} // namespace rocket::store
