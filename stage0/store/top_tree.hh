// SPDX-License-Identifier: Apache-2.0
// The topmost tree of an image made of layers: what no layer can hold, since layers are shared and know nothing of each
// other. The root's attributes; directories that a layer only implies, with the attributes they have further down
// (OLYR-13); hard links into lower layers (OLYR-8); the working directory if no layer has it (OMAP). Mostly it is
// empty. Errors: Kind::corrupt for layers that do not fit together.
#pragma once

#include <string>
#include <vector>

#include "stage0/store/layer_stack.hh"
#include "stage0/unpack/seams.hh"

namespace rocket::store
{

struct LayerTree {
    std::string path; // of its rootfs
    unpack::Seams seams;
};

// Fills the empty directory `into`. `layers`: the topmost first.
void build_top_tree(int into, const std::vector<LayerTree>& layers, const std::string& working_directory);

} // namespace rocket::store
