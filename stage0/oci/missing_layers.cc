// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/missing_layers.hh"

#include <set>

#include "common/sys/text.hh"
#include "stage0/oci/parallel.hh"

namespace rocket::oci
{

namespace
{

constexpr std::size_t layers_at_once = 3;

} // namespace

void bring_missing_layers(Content& content, const ResolvedImage& image, const IsHere& is_here, const TakeLayer& take)
{
    std::vector<LayerPlace> missing;
    std::vector<std::size_t> places;
    std::set<store::ContentDigest> seen;
    for (std::size_t place = 0; place < image.layers.size(); ++place) {
        if (!seen.insert(image.parsed.diff_ids[place]).second || is_here(place))
            continue;
        missing.push_back(image.layers[place]);
        places.push_back(place);
    }
    Parallel parallel{layers_at_once};
    content.layers(missing, [&](std::size_t index, Bytes bytes) {
        parallel.start([&take, place = places[index], bytes = std::move(bytes)] { take(place, bytes); });
    });
    parallel.wait();
}

void check_size(const LayerPlace& layer, const Bytes& bytes)
{
    if (layer.size && bytes.size != *layer.size)
        fail(Error::Kind::corrupt, "layer {} has {} bytes instead of {}",
             layer.digest ? layer.digest->str() : text::quoted(layer.path), bytes.size, *layer.size);
}

} // namespace rocket::oci
