// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/import_image.hh"

#include "common/sys/text.hh"
#include "stage0/oci/missing_layers.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::oci
{

namespace
{

void import_layers(const store::Store& store, Content& content, const ResolvedImage& image, const LayerTick& tick)
{
    SharedStore shared{store, tick};
    const auto& diff_ids = image.parsed.diff_ids;
    bring_missing_layers(
        content, image, [&](std::size_t place) { return store::LayerStore{shared.get()}.has(diff_ids[place]); },
        [&](std::size_t place, const Bytes& bytes) {
            const auto& layer = image.layers[place];
            check_size(layer, bytes);
            const auto view = shared.of(layer.digest.value_or(diff_ids[place]));
            store::LayerStore{view}.import(
                diff_ids[place],
                {.file = bytes.file->get(), .begin = bytes.begin, .size = bytes.size, .digest = layer.digest});
        });
}

} // namespace

model::ImageId import_image(store::Store& store, Content& content, const ResolvedImage& image, Origin origin,
                            const store::Import::Facts& facts, const Warn& warn, const LayerTick& tick)
{
    store.tidy();
    const auto kept = store::LayerStore{store}.keep();
    import_layers(store, content, image, tick);
    origin.image_id = store::ContentDigest::of(image.config).str();
    origin.annotations = image.annotations;
    return with_context("converting the image", [&] {
        store::LayeredImport import{store, image.parsed.diff_ids, working_directory_of(image.parsed)};
        const auto manifest = convert(image.parsed, origin, import.tree(), warn);
        return import.publish(
            {.manifest = manifest.write(), .oci_config = image.config, .oci_manifest = image.manifest}, facts);
    });
}

} // namespace rocket::oci
