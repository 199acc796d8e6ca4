// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/import_pending.hh"

#include "common/sys/sys.hh"
#include "stage0/oci/missing_layers.hh"

namespace rocket::oci
{

namespace
{

using store::ContentDigest;
using store::PendingImport;

Bytes whole(Fd file)
{
    const auto size = static_cast<std::uint64_t>(sys::stat(file.get()).st_size);
    return {.file = std::make_shared<Fd>(std::move(file)), .begin = 0, .size = size};
}

struct Adding {
    SharedStore& shared;
    PendingImport& import;
};

void add(const Adding& to, std::size_t place, const LayerPlace& layer, const Bytes& bytes, PendingImport::Keep keep)
{
    check_size(layer, bytes);
    to.import.add_layer(place,
                        {.file = bytes.file->get(), .begin = bytes.begin, .size = bytes.size, .digest = layer.digest},
                        keep, to.shared.tick_of(*layer.digest));
}

// Without fetching it: root has it, or another member.
bool add_known(const Adding& to, const store::Store& store, const ResolvedImage& image, std::size_t place)
{
    const auto& diff_id = image.parsed.diff_ids[place];
    const auto& layer = image.layers[place];
    try {
        const auto path = store.layout().layer(diff_id.key()) + "/" + model::layer_dir::archive;
        if (store::LayerStore{store}.record(diff_id).archive == *layer.digest) {
            add(to, place, layer, whole(sys::open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW)),
                PendingImport::Keep::elsewhere);
            return true;
        }
    } catch (const Error& error) { // not there, or not whole
        if (error.kind() != Error::Kind::not_found)
            throw;
    }
    auto file = store::find_pending_layer(store.layout(), *layer.digest);
    if (!file)
        return false;
    add(to, place, layer, whole(std::move(*file)), PendingImport::Keep::link);
    return true;
}

} // namespace

std::string KeptDocuments::document(const Descriptor& descriptor, std::uint64_t limit)
{
    auto text = from_.document(descriptor, limit);
    kept_[descriptor.digest] = text; // whoever asked compares it with the digest, or throws
    return text;
}

model::ImageId import_pending(store::Store& store, Content& content, const ResolvedImage& image, Origin origin,
                              const Finding& finding, const store::Import::Facts& facts, const Warn& warn,
                              const LayerTick& tick)
{
    store.tidy();
    const auto kept = store::LayerStore{store}.keep();
    SharedStore shared{store, tick};
    PendingImport import{shared.get(), image.parsed.diff_ids};
    const Adding to{shared, import};
    bring_missing_layers(
        content, image, [&](std::size_t place) { return add_known(to, store, image, place); },
        [&](std::size_t place, const Bytes& bytes) {
            add(to, place, image.layers[place], bytes,
                bytes.is_download ? PendingImport::Keep::link : PendingImport::Keep::copy);
        });
    origin.image_id = ContentDigest::of(image.config).str();
    origin.annotations = image.annotations;
    return with_context("converting the image", [&] {
        const auto manifest = convert(image.parsed, origin, import.tree(), warn);
        return import.publish({.facts = finding.facts,
                               .documents = finding.documents,
                               .signatures = finding.signatures,
                               .manifest = manifest.write(),
                               .oci_config = image.config,
                               .oci_manifest = image.manifest},
                              facts);
    });
}

std::string PendingContent::document(const Descriptor& descriptor, std::uint64_t limit)
{
    return document(descriptor.digest, limit);
}

std::string PendingContent::document(const ContentDigest& digest, std::uint64_t limit) const
{
    const auto file = image_.find(digest);
    if (!file)
        fail(Error::Kind::not_found, "{} is not in it", digest.str());
    return sys::read_to_end(file->get(), limit);
}

void PendingContent::layers(std::span<const LayerPlace> places, const OnLayer& done)
{
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto file = image_.find(*places[i].digest);
        if (!file)
            fail(Error::Kind::not_found, "layer {} is not in it", places[i].digest->str());
        done(i, whole(std::move(*file)));
    }
}

} // namespace rocket::oci
