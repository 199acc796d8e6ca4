// SPDX-License-Identifier: Apache-2.0
// An image made of layers on its way into the store. The layers are there already (LayerStore) and kept by the caller;
// the constructor makes the image's own topmost tree, so that the final tree can be looked at while the manifest is
// made; publish() puts all in place. Without it nothing remains but layers. Needs root. Errors as in import.hh.
#pragma once

#include <string>
#include <vector>

#include "stage0/store/import.hh"
#include "stage0/store/layer_stack.hh"
#include "stage0/store/layer_store.hh"

namespace rocket::store
{

class LayeredImport
{
public:
    // `layers`: the lowest first, at least one.
    LayeredImport(Store& store, std::vector<ContentDigest> layers, const std::string& working_directory);

    const LayerStack& tree() const noexcept { return *tree_; } // as the app will see it

    struct Documents {
        std::string manifest;     // of the appc image
        std::string oci_config;   // bytes as received
        std::string oci_manifest; // the same; empty: there is none
    };
    model::ImageId publish(const Documents& documents, const Import::Facts& facts);

private:
    Record record_of(const Documents& documents, const Import::Facts& facts) const;
    void write_files(const Record& record, const Documents& documents, const Import::Facts& facts) const;

    Store& store_;
    std::vector<ContentDigest> layers_;
    Staging staging_;
    std::string tree_digest_;
    std::optional<LayerStack> tree_;
};

} // namespace rocket::store
