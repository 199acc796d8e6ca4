// SPDX-License-Identifier: Apache-2.0
#include "stage0/store/layer_store.hh"
#include "stage0/store/directories.hh"

#include <linux/openat2.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <array>
#include <map>

#include "common/model/json_object.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/store/layer_stack.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/staging.hh"
#include "stage0/store/tree_store.hh"
#include "stage0/store/tree_walk.hh"

namespace rocket::store
{

namespace
{

namespace layer_dir = model::layer_dir;
namespace json = model::json;

constexpr const char* staged_layer = "layer";

std::uint64_t size_from(const json::Cursor& cursor)
{
    return static_cast<std::uint64_t>(cursor.integer(0, INT64_MAX));
}

void write_file(int dir, const char* name, std::string_view content)
{
    const auto fd = sys::open(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0640);
    sys::check([&] { return ::fchmod(fd.get(), 0640); }, "setting the mode of {}", text::quoted(name));
    with_context(fmt::format("writing {}", text::quoted(name)), [&] { sys::write_all(fd.get(), content); });
}

NamedLock lock_layer(const Store& store, const ContentDigest& diff_id)
{
    return NamedLock::take(store.layout().layer_lock(diff_id.key()), [&] {
        if (store.options().on_wait)
            store.options().on_wait(
                fmt::format("another process is busy with layer {}, waiting", text::quoted(diff_id.str())));
    });
}

// The directory of trees, which nobody but root can open: a member of the group could hold a lock file of DATA/locks
// for ever, and no layer would ever be swept.
Fd open_lock(const model::Layout& layout)
{
    return sys::open(AT_FDCWD, layout.trees(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

constexpr std::uint64_t inside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

// The worker may not: the mark takes a privilege on the host.
void mark_opaque(int root, const unpack::Seams& seams)
{
    for (const auto& path : seams.opaque) {
        const auto dir =
            sys::open_resolved(root, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, inside);
        sys::check([&] { return ::fsetxattr(dir.get(), opaque_xattr, "y", 1, 0); }, "marking {} as opaque",
                   text::quoted(path));
    }
}

struct Place {
    Fd parent;
    std::string name;
};

Place place_of(int root, const std::string& path)
{
    const auto slash = path.rfind('/');
    return {.parent = sys::open_resolved(root, slash == path.npos ? "." : path.substr(0, slash),
                                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW, inside),
            .name = slash == path.npos ? path : path.substr(slash + 1)};
}

void make_device(const Place& place, const std::string& name, const unpack::Seams::Device& device,
                 const struct stat& like)
{
    const int parent = place.parent.get();
    const mode_t type = device.type == 'c' ? S_IFCHR : S_IFBLK;
    const std::array times{like.st_atim, like.st_mtim};
    sys::check([&] { return ::mknodat(parent, name.c_str(), type | 0600, ::makedev(device.major, device.minor)); },
               "making the device node {}", text::quoted(place.name));
    sys::check([&] { return ::fchownat(parent, name.c_str(), like.st_uid, like.st_gid, AT_SYMLINK_NOFOLLOW); },
               "setting the owner of {}", text::quoted(place.name));
    sys::check([&] { return ::fchmodat(parent, name.c_str(), like.st_mode & 07777U, 0); }, "setting the mode of {}",
               text::quoted(place.name));
    sys::check([&] { return ::utimensat(parent, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW); },
               "setting the times of {}", text::quoted(place.name));
}

// Nor may it make device nodes, which take a privilege that nothing of the image's should ever come near. They are
// inert: neither the store nor an app's root is mounted with devices.
void make_devices(int root, const unpack::Seams& seams)
{
    std::map<ino_t, std::string> made; // which stand-in → where there is a node of it by now
    for (const auto& [path, device] : seams.devices) {
        const auto place = place_of(root, path);
        const auto stand_in = sys::stat_at(place.parent.get(), place.name);
        if (!is_whiteout(stand_in))
            fail(Error::Kind::corrupt, "{} is no stand-in for a device node", text::quoted(path));
        const auto directory = sys::stat(place.parent.get());
        const auto name = ".rocket-" + sys::random_name();
        if (const auto first = made.find(stand_in.st_ino); first != made.end()) {
            const auto other = place_of(root, first->second);
            sys::check(
                [&] { return ::linkat(other.parent.get(), other.name.c_str(), place.parent.get(), name.c_str(), 0); },
                "linking {}", text::quoted(path));
        } else {
            make_device(place, name, device, stand_in);
            made.emplace(stand_in.st_ino, path);
        }
        sys::rename(place.parent.get(), name, place.parent.get(), place.name);
        const std::array times{directory.st_atim, directory.st_mtim};
        sys::check([&] { return ::futimens(place.parent.get(), times.data()); }, "setting the times of a directory");
    }
}

// What the worker leaves to us of a tree that it has unpacked.
void finish_tree(int root, const std::string& seams)
{
    const auto parsed = unpack::Seams::parse(seams);
    make_devices(root, parsed);
    mark_opaque(root, parsed);
}

void check_digest(std::string_view what, const ContentDigest& found, const ContentDigest& wanted)
{
    if (found != wanted)
        fail(Error::Kind::corrupt, "{} has the digest {} instead of {}", what, found.str(), wanted.str());
}

UnpackJob job_for(const Options& options, const LayerSource& source, const ContentDigest& diff_id)
{
    return {.content = UnpackJob::Content::layer,
            .archive = source.file,
            .begin = source.begin,
            .size = source.size,
            .archive_digest = source.digest ? source.digest : ContentDigest::of(""),
            .tar_digest = diff_id,
            .allow_devices = true, // the worker reports them, and makes none
            .limits = options.limits,
            .tick = options.tick};
}

} // namespace

LayerRecord LayerRecord::parse(std::string_view text)
{
    const auto value = json::parse(text, "layer record");
    json::Fields fields{json::Cursor{value, "record"}};
    LayerRecord record{.diff_id = fields.required("diffId").as<ContentDigest>(),
                       .archive = fields.required("archive").as<ContentDigest>()};
    record.archive_bytes = size_from(fields.required("archiveSize"));
    record.tar_bytes = size_from(fields.required("tarSize"));
    record.tree_bytes = size_from(fields.required("treeSize"));
    record.tree_digest = fields.required("treeDigest").text();
    return record;
}

std::string LayerRecord::write() const
{
    return json::write(json::ObjectWriter{}
                           .set("diffId", diff_id.str())
                           .set("archive", archive.str())
                           .set("archiveSize", archive_bytes)
                           .set("tarSize", tar_bytes)
                           .set("treeSize", tree_bytes)
                           .set("treeDigest", tree_digest)
                           .done(),
                       json::Style::four_blanks) +
           "\n";
}

Lock LayerStore::keep() const
{
    return Lock::take(open_lock(store_.layout()), Lock::Mode::shared);
}

LayerRecord LayerStore::record(const ContentDigest& diff_id) const
{
    const auto dir = directory(diff_id);
    const auto content = file::read_if_exists(AT_FDCWD, dir + "/" + layer_dir::record);
    if (!content)
        throw Error{Error::Kind::not_found, fmt::format("layer {} is not in the local store", diff_id.str()),
                    "remove the image with `rocket image rm` and fetch it again"};
    auto record = LayerRecord::parse(*content);
    const auto archive = sys::stat_at(AT_FDCWD, dir + "/" + layer_dir::archive);
    sys::stat_at(AT_FDCWD, dir + "/" + layer_dir::seams);
    if (record.diff_id != diff_id || static_cast<std::uint64_t>(archive.st_size) != record.archive_bytes)
        fail(Error::Kind::corrupt, "the record of layer {} does not fit its archive", diff_id.str());
    return record;
}

bool LayerStore::has(const ContentDigest& diff_id) const
{
    try {
        return has_tree(store_.layout(), diff_id.key(), record(diff_id).tree_digest);
    } catch (const Error&) { // half there, or damaged: as good as not there
        return false;
    }
}

void LayerStore::import(const ContentDigest& diff_id, const LayerSource& source) const
{
    const auto lock = lock_layer(store_, diff_id);
    if (!has(diff_id))
        with_context(fmt::format("unpacking layer {}", diff_id.str()), [&] { import_locked(diff_id, source); });
}

void LayerStore::import_locked(const ContentDigest& diff_id, const LayerSource& source) const
{
    const auto& layout = store_.layout();
    const Staging staging{layout};
    sys::make_dir(staging.fd(), staged_layer, 0750);
    const auto dir = sys::open(staging.fd(), staged_layer, O_RDONLY | O_DIRECTORY);
    sys::check([&] { return ::fchmod(dir.get(), shared_mode(02750)); }, "setting the mode of {}",
               text::quoted(staged_layer));
    const auto archive = sys::open(dir.get(), layer_dir::archive, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0640);
    sys::check([&] { return ::fchmod(archive.get(), 0640); }, "setting the mode of the archive");
    const auto root = make_staged_tree(staging.fd());

    auto job = job_for(store_.options(), source, diff_id);
    job.copy = archive.get();
    job.tree = root.get();
    const auto unpacked = unpack_image(job);
    if (source.digest)
        check_digest("the layer as received", *unpacked.archive_digest, *source.digest);
    check_digest("the layer's tar", *unpacked.tar_digest, diff_id);

    finish_tree(root.get(), unpacked.seams);
    const LayerRecord record{.diff_id = diff_id,
                             .archive = *unpacked.archive_digest,
                             .archive_bytes = unpacked.archive_bytes,
                             .tar_bytes = unpacked.tar_bytes,
                             .tree_bytes = unpacked.tree.file_bytes,
                             .tree_digest = text::hex(unpacked.tree.digest)};
    const auto statement = statement_of(store_, root.get(), unpacked.tree, record.tree_digest);
    write_file(dir.get(), layer_dir::seams, unpacked.seams);
    write_file(dir.get(), layer_dir::record, record.write());
    sys::syncfs(staging.fd());

    publish_staged_tree(layout, staging.fd(), diff_id.key(), statement);
    const auto layers = sys::open(AT_FDCWD, layout.layers(), O_RDONLY | O_DIRECTORY);
    while (!sys::rename_no_replace(staging.fd(), staged_layer, layers.get(), diff_id.key()))
        delete_garbage(layout, discard(layout, layers.get(), diff_id.key())); // a broken one
    sys::fsync(layers.get());
}

void LayerStore::render_locked(const LayerRecord& known) const
{
    const Staging staging{store_.layout()};
    const auto archive =
        sys::open(AT_FDCWD, directory(known.diff_id) + "/" + layer_dir::archive, O_RDONLY | O_NOFOLLOW);
    const auto root = make_staged_tree(staging.fd());
    auto job = job_for(store_.options(), {.file = archive.get(), .digest = known.archive}, known.diff_id);
    job.tree = root.get();
    const auto unpacked = unpack_image(job);
    check_digest("its tar", *unpacked.tar_digest, known.diff_id);
    finish_tree(root.get(), unpacked.seams);
    const auto statement = statement_of(store_, root.get(), unpacked.tree, known.tree_digest);
    sys::syncfs(staging.fd());
    publish_staged_tree(store_.layout(), staging.fd(), known.diff_id.key(), statement);
}

LayerTree LayerStore::render(const ContentDigest& diff_id) const
{
    const auto known = record(diff_id);
    const auto is_there = [&] { return has_tree(store_.layout(), diff_id.key(), known.tree_digest); };
    if (!is_there()) {
        const auto lock = lock_layer(store_, diff_id);
        if (!is_there())
            with_context(fmt::format("unpacking layer {} again", diff_id.str()), [&] { render_locked(known); });
    }
    const auto seams = file::read(AT_FDCWD, directory(diff_id) + "/" + layer_dir::seams);
    return {.path = store_.layout().tree_rootfs(diff_id.key()), .seams = unpack::Seams::parse(seams)};
}

std::string LayerStore::verify(const ContentDigest& diff_id) const
{
    const auto lock = lock_layer(store_, diff_id);
    const auto known = record(diff_id);
    const auto archive = sys::open(AT_FDCWD, directory(diff_id) + "/" + layer_dir::archive, O_RDONLY | O_NOFOLLOW);
    const auto unpacked =
        unpack_image(job_for(store_.options(), {.file = archive.get(), .digest = known.archive}, diff_id));
    const auto what = fmt::format("layer {}", diff_id.str());
    check_digest(what, *unpacked.archive_digest, known.archive);
    check_digest(what, *unpacked.tar_digest, diff_id);
    if (text::hex(unpacked.tree.digest) != known.tree_digest ||
        unpacked.seams != file::read(AT_FDCWD, directory(diff_id) + "/" + layer_dir::seams))
        fail(Error::Kind::corrupt, "{} and its record do not fit together", what);
    auto damage = damage_of_tree(store_, diff_id.key(), known.tree_digest);
    if (damage.empty())
        return {};
    const auto garbage = discard_tree(store_.layout(), diff_id.key());
    render_locked(known);
    delete_garbage(store_.layout(), garbage);
    return fmt::format("{}: {}", what, damage);
}

void LayerStore::sweep(const std::function<std::set<ContentDigest>()>& used) const
{
    const auto& layout = store_.layout();
    const auto lock = Lock::try_take(open_lock(layout), Lock::Mode::exclusive);
    if (!lock) // somebody is about to use some
        return;
    std::set<std::string> keys;
    for (const auto& digest : used())
        keys.insert(digest.key());
    // Trees of images lie there, too; their keys are shorter than a whole SHA-512.
    const auto unused = [&](const std::string& name) {
        const bool is_layer = name.starts_with("sha256-") || (name.starts_with("sha512-") && name.size() > 128);
        return is_layer && !keys.contains(name);
    };
    for (const auto& parent : {layout.layers(), layout.trees()}) {
        const auto dir = sys::open_if_exists(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY);
        if (!dir)
            continue;
        for (const auto& name : file::list(dir->get(), "."))
            if (unused(name))
                delete_garbage(layout, discard(layout, dir->get(), name));
    }
}

} // namespace rocket::store
