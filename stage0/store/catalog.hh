// SPDX-License-Identifier: Apache-2.0
// All images of a store: what the directory says, with the index as a shortcut. An image whose files are not all
// there, or do not fit together, is not in it. The index is brought up to date on the way where it can be written.
// No error but that of a directory that cannot be read.
#pragma once

#include <optional>
#include <vector>

#include "common/model/layout.hh"
#include "stage0/store/entry.hh"

namespace rocket::store
{

std::vector<Entry> read_catalog(const model::Layout& layout); // in the order of their ids

// From the image's own files; nullopt if it counts as absent.
std::optional<Entry> read_entry(const model::Layout& layout, const model::ImageId& id);

// The image ids among the names in a directory; none if it is not there.
std::vector<model::ImageId> ids_in(const std::string& directory);

// Makes the index anew from the files.
void rebuild_index(const model::Layout& layout);

} // namespace rocket::store
