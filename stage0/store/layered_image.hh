// SPDX-License-Identifier: Apache-2.0
// Images that are made of layers. In the store such an image is its manifest, converted from the image's configuration,
// the documents it came from, and a list of layers. Its id is the SHA-512 of the manifest, which names the digest of
// the configuration, which names those of the layers (OMAP-1): all of it can be verified. Errors as in store.hh.
#pragma once

#include "stage0/store/store.hh"
#include "stage0/store/top_tree.hh"

namespace rocket::store
{

model::ImageId id_of_layered(std::string_view manifest);

// Those that can be seen, of all layers, the topmost first.
std::vector<LayerTree> visible_layers(std::vector<LayerTree> layers);

std::vector<std::string> render_layered(const Store& store, const Record& record);
Store::Verdict verify_layered(const Store& store, const Record& record);
// As one App Container image: the same layers always give the same bytes.
void write_layered(const Store& store, const Record& record, int to);

// Whether a layer of it has directories that hide what lower ones have there: the mark is root's alone to see.
bool hides_directories(const Store& store, const model::ImageId& id);

} // namespace rocket::store
