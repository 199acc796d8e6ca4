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
    std::vector<ContentDigest> borrowed = {}; // layers that are root's
};

void add(const Adding& to, std::size_t place, const ResolvedImage& image, const Bytes& bytes, PendingImport::Keep keep)
{
    const auto& layer = image.layers[place];
    const auto& diff_id = image.parsed.diff_ids[place];
    check_size(layer, bytes);
    to.import.add_layer(place,
                        {.file = bytes.file->get(), .begin = bytes.begin, .size = bytes.size, .digest = layer.digest},
                        keep, to.shared.tick_of(layer.digest.value_or(diff_id)));
}

// Without fetching it: root has it, or another member.
bool add_known(Adding& to, const store::Store& store, const ResolvedImage& image, std::size_t place)
{
    const auto& diff_id = image.parsed.diff_ids[place];
    const auto& layer = image.layers[place];
    try {
        const auto path = store.layout().layer(diff_id.key()) + "/" + model::layer_dir::archive;
        const auto archive = store::LayerStore{store}.record(diff_id).archive;
        if (archive == layer.digest.value_or(archive)) {
            add(to, place, image, whole(sys::open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW)),
                PendingImport::Keep::elsewhere);
            to.borrowed.push_back(diff_id);
            return true;
        }
    } catch (const Error& error) { // not there, or not whole
        if (error.kind() != Error::Kind::not_found)
            throw;
    }
    auto file = layer.digest ? store::find_pending_layer(store.layout(), *layer.digest) : std::nullopt;
    if (!file)
        return false;
    add(to, place, image, whole(std::move(*file)), PendingImport::Keep::link);
    return true;
}

// Only root can keep itself from sweeping layers; it does not sweep those of an image that is published.
void check_borrowed(store::Store& store, const model::ImageId& id, const std::vector<ContentDigest>& layers)
{
    for (const auto& layer : layers) {
        if (sys::stat_if_exists(AT_FDCWD, store.layout().layer(layer.key())))
            continue;
        store.remove(id);
        throw Error{Error::Kind::busy, fmt::format("layer {} was removed from the store meanwhile", layer.str()),
                    "run the command again"};
    }
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
    SharedStore shared{store, tick};
    PendingImport import{shared.get(), image.parsed.diff_ids};
    Adding to{shared, import};
    bring_missing_layers(
        content, image, [&](std::size_t place) { return add_known(to, store, image, place); },
        [&](std::size_t place, const Bytes& bytes) {
            add(to, place, image, bytes, bytes.is_download ? PendingImport::Keep::link : PendingImport::Keep::copy);
        });
    origin.image_id = ContentDigest::of(image.config).str();
    origin.annotations = image.annotations;
    return with_context("converting the image", [&] {
        const auto manifest = convert(image.parsed, origin, import.tree(), warn);
        const auto id = import.publish({.facts = finding.facts,
                                        .documents = finding.documents,
                                        .signatures = finding.signatures,
                                        .manifest = manifest.write(),
                                        .oci_config = image.config,
                                        .oci_manifest = image.manifest},
                                       facts);
        check_borrowed(store, id, to.borrowed);
        return id;
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
        const auto name = places[i].digest ? places[i].digest->key() : places[i].path;
        auto file = image_.find(name);
        if (!file)
            fail(Error::Kind::not_found, "layer {} is not in it", text::quoted(name));
        done(i, whole(std::move(*file)));
    }
}

} // namespace rocket::oci
