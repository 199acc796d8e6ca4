// SPDX-License-Identifier: Apache-2.0
// Rendering, verifying and exporting: what reads an image's archive again.
#include "common/sys/sys.hh"
#include "stage0/store/layered_image.hh"
#include "stage0/store/named_lock.hh"
#include "stage0/store/render.hh"
#include "stage0/store/staging.hh"
#include "stage0/store/store.hh"
#include "stage0/store/tree_store.hh"

namespace rocket::store
{

using model::ImageId;

namespace
{

UnpackJob job_for(const Options& options, int archive)
{
    return {.archive = archive,
            .allow_devices = options.allow_devices,
            .limits = options.limits,
            .tick = options.tick,
            .debug = options.debug};
}

NamedLock lock_image(const Store& store, const ImageId& id)
{
    return NamedLock::take(store.layout().image_lock(id), [&] {
        if (store.options().on_wait)
            store.options().on_wait(
                fmt::format("another process is busy with image {}, waiting", text::quoted(id.key())));
    });
}

[[noreturn]] void fail_damaged(const ImageId& id, std::string_view how)
{
    throw Error{Error::Kind::corrupt, fmt::format("image {} is damaged: {}", text::quoted(id.key()), how),
                "remove it with `rocket image rm` and fetch it again"};
}

// Nothing that was unpacked is used before this.
void check_unpacked(const Record& record, const Unpacked& unpacked)
{
    if (!record.id.agrees_with(unpacked.id))
        fail_damaged(record.id, fmt::format("its archive now has the id {}", unpacked.id.key()));
    if (text::hex(unpacked.tree.digest) != record.tree_digest)
        fail_damaged(record.id, "its record and its archive do not fit together");
}

void demand_root(std::string_view what)
{
    if (!can_render())
        throw Error{Error::Kind::unsupported, fmt::format("only root can {}", what), "run the command as root"};
}

void render_locked(Store& store, const Record& record, const Recipe& recipe)
{
    const Staging staging{store.layout()};
    const auto archive = store.open_archive(record.id);
    TreeStatement own;
    {
        const auto root = make_staged_tree(staging.fd());
        auto job = job_for(store.options(), archive.get());
        job.tree = root.get();
        const auto unpacked = unpack_image(job);
        check_unpacked(record, unpacked);
        own = statement_of(store, root.get(), unpacked.tree, recipe.own);
    }
    const auto statement = finish_staged_tree(store, staging.fd(), own, recipe);
    sys::syncfs(staging.fd());
    publish_staged_tree(store.layout(), staging.fd(), record.id.key(), statement);
}

bool is_rendered(const Store& store, const ImageId& id, const Recipe& recipe)
{
    return has_tree(store.layout(), id.key(), recipe.name);
}

} // namespace

bool Store::is_rendered(const ImageId& id) const
{
    if (record(id).is_layered())
        return true;
    return store::is_rendered(*this, id, RecipeBook{*this}.of(id));
}

std::vector<std::string> Store::render(const ImageId& id)
{
    const auto known = record(id);
    mark_used(id);
    if (known.is_layered())
        return render_layered(*this, known);
    const auto recipe = RecipeBook{*this}.of(id);
    for (const auto& dependency : recipe.dependencies)
        mark_used(dependency);
    if (!store::is_rendered(*this, id, recipe)) {
        demand_root("render an image");
        const auto lock = lock_image(*this, id);
        if (!store::is_rendered(*this, id, recipe)) // unless somebody did while we waited
            with_context(fmt::format("rendering image {}", text::quoted(id.key())),
                         [&] { render_locked(*this, known, recipe); });
    }
    return {layout_.tree_rootfs(id)};
}

Store::Verdict Store::verify(const ImageId& id)
{
    demand_root("verify an image");
    std::set<ImageId> done;
    return verify_once(id, done);
}

// An image may be reached on many paths, and is looked at once.
Store::Verdict Store::verify_once(const ImageId& id, std::set<ImageId>& done)
{
    done.insert(id);
    const auto known = record(id);
    if (known.is_layered())
        return verify_layered(*this, known);
    const auto recipe = RecipeBook{*this}.of(id);
    for (const auto& dependency : recipe.dependencies) // the tree shares its files with theirs
        if (!done.contains(dependency))
            verify_once(dependency, done);
    const auto lock = lock_image(*this, id);
    const auto archive = open_archive(id);
    check_unpacked(known, unpack_image(job_for(options_, archive.get())));
    Verdict verdict{.was_rendered = sys::stat_if_exists(AT_FDCWD, layout_.tree(id)).has_value()};
    if (!verdict.was_rendered)
        return verdict;
    verdict.tree_damage = damage_of_tree(*this, id.key(), recipe.name);
    verdict.lacks_set_ids = tree_lacks_set_ids(layout_, id.key());
    if (verdict.tree_damage.empty())
        return verdict;
    const auto garbage = discard_tree(layout_, id.key()); // before rendering: what is damaged must not be used
    render_locked(*this, known, recipe);
    delete_garbage(layout_, garbage);
    return verdict;
}

void Store::write_image(const ImageId& id, int to) const
{
    if (const auto known = record(id); known.is_layered())
        return write_layered(*this, known, to);
    const auto archive = open_archive(id);
    auto job = job_for(options_, archive.get());
    job.content = UnpackJob::Content::nothing;
    job.tar = to;
    if (const auto written = unpack_image(job); !id.agrees_with(written.id))
        fail_damaged(id, fmt::format("its archive now has the id {}", written.id.key()));
}

std::string Store::extract(const ImageId& id, int rootfs) const
{
    if (record(id).is_layered())
        throw Error{Error::Kind::unsupported, "the image is made of layers, which cannot be extracted one by one",
                    "`rocket image render` gives the tree as an app sees it, `rocket image export` an archive"};
    const auto archive = open_archive(id);
    auto job = job_for(options_, archive.get());
    job.tree = rootfs;
    auto unpacked = unpack_image(job);
    check_unpacked(record(id), unpacked);
    return std::move(unpacked.manifest);
}

} // namespace rocket::store
