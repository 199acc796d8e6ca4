// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/pending.hh"

#include <linux/openat2.h>

#include <algorithm>

#include "common/model/json_object.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/catalog.hh"
#include "stage0/store/layered_image.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/publish_image.hh"

namespace rocket::store
{

namespace
{

namespace image_dir = model::image_dir;
namespace json = model::json;

constexpr std::size_t largest_facts = std::size_t{64} << 10;
constexpr std::size_t largest_signature = std::size_t{64} << 10;
constexpr mode_t group_file = 0660; // another member may link it into an image of his

std::string signature_name(std::size_t number)
{
    return fmt::format("signature-{}", number);
}

// Whoever wrote there may have made anything of that name; nothing is followed or waited for.
std::optional<Fd> open_regular(int dir, const std::string& name)
{
    auto file = sys::open_if_exists(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!file || !S_ISREG(sys::stat(file->get()).st_mode))
        return std::nullopt;
    return file;
}

std::optional<std::string> read_regular(int dir, const std::string& name, std::size_t limit)
{
    const auto file = open_regular(dir, name);
    return file ? std::optional{sys::read_to_end(file->get(), limit)} : std::nullopt;
}

void check_digest(std::string_view what, const ContentDigest& found, const ContentDigest& wanted)
{
    if (found != wanted)
        fail(Error::Kind::corrupt, "{} has the digest {} instead of {}", what, found.str(), wanted.str());
}

bool link_file(int file, int dir, const std::string& name)
{
    if (sys::stat(file).st_uid == ::geteuid())
        ::fchmod(file, group_file); // the kernel lets those link a file who can write to it
    const auto path = fmt::format("/proc/self/fd/{}", file);
    return ::linkat(AT_FDCWD, path.c_str(), dir, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

// For LayerStack; root's mark of overlayfs takes a privilege.
void mark_opaque(int tree, const unpack::Seams& seams)
{
    for (const auto& path : seams.opaque) {
        const auto dir = sys::open_resolved(tree, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        sys::open(dir.get(), opaque_file, O_CREAT | O_WRONLY | O_NOFOLLOW, 0600);
    }
}

} // namespace

PendingFacts PendingFacts::parse(std::string_view text)
{
    const auto value = json::parse(text, "pending image");
    json::Fields fields{json::Cursor{value, "pending image"}};
    PendingFacts facts{.reference = fields.required("reference").text(),
                       .document = fields.required("document").as<ContentDigest>()};
    facts.media_type = fields.text_or("mediaType", "");
    facts.platform = fields.text_or("platform", "");
    return facts;
}

std::string PendingFacts::write() const
{
    return json::write(json::ObjectWriter{}
                           .set("reference", reference)
                           .set("document", document.str())
                           .set_text("mediaType", media_type)
                           .set_text("platform", platform)
                           .done(),
                       json::Style::four_blanks) +
           "\n";
}

std::optional<PendingFacts> PendingImage::facts() const
{
    const auto text = read_regular(dir_.get(), image_dir::pending, largest_facts);
    return text ? std::optional{PendingFacts::parse(*text)} : std::nullopt;
}

std::optional<Fd> PendingImage::find(const std::string& name) const
{
    return open_regular(dir_.get(), name);
}

std::optional<std::string> PendingImage::signature(unsigned number) const
{
    return read_regular(dir_.get(), signature_name(number), largest_signature);
}

std::optional<Fd> find_pending_layer(const model::Layout& layout, const ContentDigest& digest)
{
    for (const auto& id : ids_in(layout.images()))
        if (auto dir = sys::open_if_exists(AT_FDCWD, layout.image(id), O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
            if (auto file = PendingImage{std::move(*dir)}.find(digest))
                return file;
    return std::nullopt;
}

PendingImport::PendingImport(Store& store, std::vector<ContentDigest> layers)
    : store_{store}, layers_{std::move(layers)}, staging_{store.layout()}
{
}

Fd PendingImport::make_tree(std::size_t place) const
{
    sys::make_dir(staging_.fd(), fmt::format("tree-{}", place), 0700);
    return tree_of(place);
}

Fd PendingImport::tree_of(std::size_t place) const
{
    return sys::open(staging_.fd(), fmt::format("tree-{}", place), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Fd PendingImport::make_copy(std::size_t place, const LayerSource& source, Keep keep) const
{
    if (keep == Keep::elsewhere)
        return {};
    const StagedImage image{staging_};
    const auto name = source.digest ? source.digest->key() : PendingImage::layer_name(layers_[place]);
    if (keep == Keep::link && link_file(source.file, image.fd(), name))
        return {};
    return image.create(name.c_str(), group_file);
}

void PendingImport::add_layer(std::size_t place, const LayerSource& source, Keep keep, const Tick& tick)
{
    const auto& diff_id = layers_[place];
    const auto copy = make_copy(place, source, keep);
    const auto tree = make_tree(place);
    const auto unpacked = unpack_image({.content = UnpackJob::Content::layer,
                                        .archive = source.file,
                                        .begin = source.begin,
                                        .size = source.size,
                                        .copy = copy ? copy.get() : -1,
                                        .tree = tree.get(),
                                        .archive_digest = source.digest ? source.digest : ContentDigest::of(""),
                                        .tar_digest = diff_id,
                                        .allow_devices = true, // the worker reports them, and makes none
                                        .limits = store_.options().limits,
                                        .tick = tick});
    if (source.digest)
        check_digest("the layer as received", *unpacked.archive_digest, *source.digest);
    check_digest("the layer's tar", *unpacked.tar_digest, diff_id);
    mark_opaque(tree.get(), unpack::Seams::parse(unpacked.seams));
    const std::lock_guard lock{mutex_};
    archive_bytes_ += unpacked.archive_bytes;
    tar_bytes_ += unpacked.tar_bytes;
    tree_bytes_ += unpacked.tree.file_bytes;
}

LayerStack PendingImport::tree() const
{
    std::vector<Fd> trees;
    for (auto place = layers_.size(); place-- > 0;) {
        const auto first = std::ranges::find(layers_, layers_[place]); // one may come twice, and was added once
        trees.push_back(tree_of(static_cast<std::size_t>(first - layers_.begin())));
        if (is_opaque(trees.back().get()))
            break;
    }
    return LayerStack{std::move(trees)};
}

model::ImageId PendingImport::publish(const Content& content, const Import::Facts& facts)
{
    model::ImageManifest::parse(content.manifest);
    Record record{.id = id_of_layered(content.manifest),
                  .requested = facts.requested,
                  .source = facts.source,
                  .archive_bytes = archive_bytes_,
                  .image_bytes = tar_bytes_,
                  .tree_bytes = tree_bytes_,
                  .imported_ns = sys::realtime_nsec(),
                  .fingerprint = facts.fingerprint,
                  .insecure = facts.insecure,
                  .tree_digest = std::string(64, '0'), // nobody has made it
                  .layers = layers_};
    if (!content.oci_manifest.empty())
        record.manifest_digest = ContentDigest::of(content.oci_manifest).str();
    const StagedImage image{staging_};
    image.write(image_dir::manifest, content.manifest);
    image.write(image_dir::oci_config, content.oci_config);
    if (!content.oci_manifest.empty())
        image.write(image_dir::oci_manifest, content.oci_manifest);
    image.write(image_dir::record, record.write());
    image.write(image_dir::used, {}, 0660);
    image.write(image_dir::pending, content.facts.write());
    for (const auto& [digest, document] : content.documents)
        image.write(digest.key().c_str(), document);
    for (std::size_t i = 0; i < content.signatures.size(); ++i)
        image.write(signature_name(i + 1).c_str(), content.signatures[i]);
    sys::syncfs(staging_.fd());
    const auto lock = NamedLock::take(store_.layout().image_lock(record.id));
    publish_staged_image(store_, staging_, record.id, record.is_verified());
    return record.id;
}

} // namespace rocket::store
