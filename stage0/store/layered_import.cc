// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/layered_import.hh"

#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/layered_image.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/publish_image.hh"
#include "stage0/store/tree_store.hh"
#include "stage0/store/tree_walk.hh"

namespace rocket::store
{

namespace
{

namespace image_dir = model::image_dir;

std::vector<LayerTree> layer_trees(const Store& store, const std::vector<ContentDigest>& layers)
{
    std::vector<LayerTree> trees;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
        trees.push_back(LayerStore{store}.render(*layer));
    return visible_layers(std::move(trees));
}

} // namespace

LayeredImport::LayeredImport(Store& store, std::vector<ContentDigest> layers, const std::string& working_directory)
    : store_{store}, layers_{std::move(layers)}, staging_{store.layout()}
{
    const auto below = layer_trees(store_, layers_);
    auto root = make_staged_tree(staging_.fd());
    build_top_tree(root.get(), below, working_directory);
    tree_digest_ = text::hex(digest_of_tree(root.get()));
    std::vector<Fd> trees;
    trees.push_back(std::move(root));
    for (const auto& layer : below)
        trees.push_back(sys::open(AT_FDCWD, layer.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    tree_.emplace(std::move(trees));
}

Record LayeredImport::record_of(const Documents& documents, const Import::Facts& facts) const
{
    Record record{.id = id_of_layered(documents.manifest),
                  .requested = facts.requested,
                  .source = facts.source,
                  .source_stamp = facts.source_stamp,
                  .imported_ns = sys::realtime_nsec(),
                  .fingerprint = facts.fingerprint,
                  .insecure = facts.insecure,
                  .tree_digest = tree_digest_,
                  .layers = layers_};
    if (!documents.oci_manifest.empty())
        record.manifest_digest = ContentDigest::of(documents.oci_manifest).str();
    for (const auto& digest : layers_) {
        const auto layer = LayerStore{store_}.record(digest);
        record.archive_bytes += layer.archive_bytes;
        record.image_bytes += layer.tar_bytes;
        record.tree_bytes += layer.tree_bytes;
    }
    return record;
}

void LayeredImport::write_files(const Record& record, const Documents& documents, const Import::Facts& facts) const
{
    const StagedImage image{staging_};
    image.write(image_dir::manifest, documents.manifest);
    image.write(image_dir::oci_config, documents.oci_config);
    if (!documents.oci_manifest.empty())
        image.write(image_dir::oci_manifest, documents.oci_manifest);
    image.write(image_dir::record, record.write());
    image.write(image_dir::used, {}, 0660);
    if (facts.fingerprint)
        image.write(image_dir::signature, facts.signature);
}

model::ImageId LayeredImport::publish(const Documents& documents, const Import::Facts& facts)
{
    model::ImageManifest::parse(documents.manifest); // it passes what any image's has to pass (OMAP-3)
    const auto record = record_of(documents, facts);
    write_files(record, documents, facts);
    sys::syncfs(staging_.fd());
    const auto lock = NamedLock::take(store_.layout().image_lock(record.id));
    publish_staged_tree(store_.layout(), staging_.fd(), record.id.key(), {tree_digest_, tree_digest_});
    publish_staged_image(store_, staging_, record.id, record.is_verified());
    read_catalog(store_.layout()); // brings the index up to date
    return record.id;
}

} // namespace rocket::store
