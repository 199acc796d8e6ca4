// SPDX-License-Identifier: Apache-2.0
// A resolved image into the store: layers that are not there yet, several at a time, each verified; then the manifest
// made of its configuration. Needs root (for others: import_pending.hh). Errors name the step (OMAP-12); whatever
// fails, nothing but whole layers stays behind.
#pragma once

#include "stage0/oci/convert.hh"
#include "stage0/oci/resolve.hh"
#include "stage0/oci/shared_store.hh"
#include "stage0/store/layered_import.hh"

namespace rocket::oci
{

model::ImageId import_image(store::Store& store, Content& content, const ResolvedImage& image, Origin origin,
                            const store::Import::Facts& facts, const Warn& warn, const LayerTick& tick = {});

} // namespace rocket::oci
