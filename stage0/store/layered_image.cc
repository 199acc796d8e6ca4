// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/layered_image.hh"

#include <algorithm>
#include <set>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/aci_writer.hh"
#include "stage0/store/layer_store.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/staging.hh"
#include "stage0/store/tree_store.hh"
#include "stage0/store/tree_walk.hh"

namespace rocket::store
{

namespace
{

namespace image_dir = model::image_dir;

[[noreturn]] void fail_damaged(const model::ImageId& id, std::string_view how)
{
    throw Error{Error::Kind::corrupt, fmt::format("image {} is damaged: {}", text::quoted(id.key()), how),
                "remove it with `rocket image rm` and fetch it again"};
}

NamedLock lock_image(const Store& store, const model::ImageId& id)
{
    return NamedLock::take(store.layout().image_lock(id), [&] {
        if (store.options().on_wait)
            store.options().on_wait(
                fmt::format("another process is busy with image {}, waiting", text::quoted(id.key())));
    });
}

void render_top_tree(const Store& store, const Record& record, const std::vector<LayerTree>& layers)
{
    const auto manifest = store.manifest(record.id);
    const Staging staging{store.layout()};
    const auto root = make_staged_tree(staging.fd());
    build_top_tree(root.get(), layers, manifest.app ? manifest.app->working_directory : "");
    if (text::hex(digest_of_tree(root.get())) != record.tree_digest)
        fail_damaged(record.id, "its record and its layers do not fit together");
    sys::syncfs(staging.fd());
    publish_staged_tree(store.layout(), staging.fd(), record.id.key(), {record.tree_digest, record.tree_digest});
}

// The files of the image itself: each names the digest of the next.
void verify_documents(const Store& store, const Record& record)
{
    const auto manifest = store.manifest_bytes(record.id);
    if (!record.id.agrees_with(id_of_layered(manifest)))
        fail_damaged(record.id, "its manifest has another digest");
    const auto parsed = model::ImageManifest::parse(manifest);
    const auto dir = store.layout().image(record.id) + "/";
    const auto* config = model::find(parsed.annotations, "appc.io/docker/imageid");
    if (config == nullptr || !matches(ContentDigest::parse(*config), file::read(AT_FDCWD, dir + image_dir::oci_config)))
        fail_damaged(record.id, "its configuration has another digest");
    const auto* document = model::find(parsed.annotations, "appc.io/docker/manifesthash");
    if (document != nullptr &&
        !matches(ContentDigest::parse(*document), file::read(AT_FDCWD, dir + image_dir::oci_manifest)))
        fail_damaged(record.id, "its OCI manifest has another digest");
}

} // namespace

model::ImageId id_of_layered(std::string_view manifest)
{
    Sha512Hasher hasher;
    hasher.add(manifest);
    return model::ImageId::of_sha512(hasher.finish());
}

std::vector<LayerTree> visible_layers(std::vector<LayerTree> layers)
{
    // What lies below a layer whose root is opaque is not there; overlayfs does not look at the mark of a root.
    const auto opaque = std::ranges::find_if(layers, [](const LayerTree& layer) {
        return std::ranges::find(layer.seams.opaque, "") != layer.seams.opaque.end();
    });
    if (opaque != layers.end())
        layers.erase(std::next(opaque), layers.end());
    // One that comes twice hides itself further down, and overlayfs takes no directory twice.
    std::set<std::string> seen;
    std::erase_if(layers, [&](const LayerTree& layer) { return !seen.insert(layer.path).second; });
    return layers;
}

std::vector<std::string> render_layered(const Store& store, const Record& record)
{
    const LayerStore layer_store{store};
    std::vector<LayerTree> layers;
    for (auto layer = record.layers.rbegin(); layer != record.layers.rend(); ++layer)
        layers.push_back(layer_store.render(*layer));
    layers = visible_layers(std::move(layers));
    const auto is_there = [&] { return has_tree(store.layout(), record.id.key(), record.tree_digest); };
    if (!is_there()) {
        const auto lock = lock_image(store, record.id);
        if (!is_there())
            with_context(fmt::format("rendering image {}", text::quoted(record.id.key())),
                         [&] { render_top_tree(store, record, layers); });
    }
    std::vector<std::string> trees{store.layout().tree_rootfs(record.id)};
    for (const auto& layer : layers)
        trees.push_back(layer.path);
    return trees;
}

Store::Verdict verify_layered(const Store& store, const Record& record)
{
    verify_documents(store, record);
    Store::Verdict verdict{.was_rendered = true};
    const auto note = [&](const std::string& damage) {
        if (!damage.empty())
            verdict.tree_damage += (verdict.tree_damage.empty() ? "" : "; ") + damage;
    };
    const LayerStore layers{store};
    for (const auto& layer : record.layers)
        note(layers.verify(layer));
    verdict.lacks_set_ids = std::ranges::any_of(
        record.layers, [&](const auto& layer) { return tree_lacks_set_ids(store.layout(), layer.key()); });
    std::string garbage;
    {
        const auto lock = lock_image(store, record.id);
        const auto damage = damage_of_tree(store, record.id.key(), record.tree_digest);
        note(damage);
        if (!damage.empty())
            garbage = discard_tree(store.layout(), record.id.key());
    }
    render_layered(store, record);
    delete_garbage(store.layout(), garbage);
    return verdict;
}

bool hides_directories(const Store& store, const model::ImageId& id)
{
    const LayerStore layers{store};
    return std::ranges::any_of(store.record(id).layers, [&](const auto& layer) {
        return std::ranges::any_of(layers.render(layer).seams.opaque, [](const auto& path) { return !path.empty(); });
    });
}

void write_layered(const Store& store, const Record& record, int to)
{
    if (!can_render())
        throw Error{Error::Kind::unsupported, "the image is made of layers, which only root can put together",
                    "run the command as root"};
    const auto trees = LayerStack::open(render_layered(store, record));
    write_aci(trees, store.manifest_bytes(record.id), to, [&] {
        if (store.options().tick)
            store.options().tick(0, 0);
    });
}

} // namespace rocket::store
