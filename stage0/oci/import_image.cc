// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/import_image.hh"

#include <set>

#include "common/sys/text.hh"
#include "stage0/oci/parallel.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::oci
{

namespace
{

constexpr std::size_t layers_at_once = 3;

void import_layer(const store::Store& store, const store::ContentDigest& diff_id, const LayerPlace& place,
                  const Bytes& bytes)
{
    if (place.size && bytes.size != *place.size)
        fail(Error::Kind::corrupt, "layer {} has {} bytes instead of {}",
             place.digest ? place.digest->str() : diff_id.str(), bytes.size, *place.size);
    store::LayerStore{store}.import(
        diff_id, {.file = bytes.file->get(), .begin = bytes.begin, .size = bytes.size, .digest = place.digest});
}

void import_layers(const store::Store& store, Content& content, const ResolvedImage& image, const LayerTick& tick)
{
    SharedStore shared{store, tick};
    const store::LayerStore layers{shared.get()};
    std::vector<LayerPlace> missing;
    std::vector<store::ContentDigest> diff_ids;
    std::set<store::ContentDigest> seen; // the same layer may come twice in an image
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
        const auto& diff_id = image.parsed.diff_ids[i];
        if (!seen.insert(diff_id).second || layers.has(diff_id))
            continue;
        missing.push_back(image.layers[i]);
        diff_ids.push_back(diff_id);
    }
    Parallel parallel{layers_at_once};
    content.layers(missing, [&](std::size_t index, Bytes bytes) {
        parallel.start([&shared, &missing, &diff_ids, index, bytes = std::move(bytes)] {
            import_layer(shared.of(missing[index].digest.value_or(diff_ids[index])), diff_ids[index], missing[index],
                         bytes);
        });
    });
    parallel.wait();
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
