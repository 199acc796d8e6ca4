// SPDX-License-Identifier: Apache-2.0
// From an image's own content, unpacked into a staging directory, to the tree that is published for it.
#pragma once

#include "stage0/store/recipe.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::store
{

// Renders what the image depends on, if that is still to be done, and lays the image's own content over it. The staged
// tree, of which `own` is to be stated, is then the one to publish, with what is returned; it still has to be brought
// to disk. Needs root.
TreeStatement finish_staged_tree(Store& store, int staging, const TreeStatement& own, const Recipe& recipe);

} // namespace rocket::store
