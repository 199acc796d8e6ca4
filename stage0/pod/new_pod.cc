// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/new_pod.hh"

#include <sys/stat.h>

#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/id_ranges.hh"
#include "stage0/pod/origins.hh"
#include "stage0/pod/remove_pod.hh"
#include "stage0/store/copy_tree.hh"
#include "stage0/store/directories.hh"

namespace rocket::pod
{

namespace
{

namespace pod_dir = model::pod_dir;
constexpr int directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr mode_t group_readable = 0750; // what observers in group rocket may enter (cli 1.6)

// mkdir obeys the umask; what an app sees as its root must not.
void make_exact_dir(int dir, const std::string& path, mode_t mode)
{
    sys::make_dir(dir, path, mode);
    sys::check([&] { return ::fchmodat(dir, path.c_str(), mode, 0); }, "setting the mode of {}", text::quoted(path));
}

// T1 and T2 of the life cycle: embryo, lock, prepare. nullopt if gc took the embryo before we had its lock.
std::optional<OwnedPod> try_create(const model::Layout& layout)
{
    const auto id = PodId::random();
    const auto embryos = sys::open(AT_FDCWD, layout.pods(PodStage::embryo), directory);
    make_exact_dir(embryos.get(), id.str(), group_readable);
    auto pod = Pod::open(layout, PodStage::embryo, id);
    if (!pod)
        return std::nullopt;
    auto lock = Lock::take(pod->reopen(), Lock::Mode::exclusive);
    if (!pod->move_to(PodStage::prepare, Pod::Durable::no)) // what a power cut leaves here is taken away anyhow
        return std::nullopt;
    return OwnedPod{std::move(*pod), std::move(lock)};
}

} // namespace

NewPod::NewPod(const model::Layout& layout, std::function<void()> tick) : layout_{layout}, tick_{std::move(tick)}
{
    with_context("error creating new pod", [&] {
        store::make_pod_directories(layout_);
        while (!owned_)
            owned_ = try_create(layout_);
    });
}

NewPod::~NewPod()
{
    if (!owned_)
        return;
    try {
        remove_owned(std::move(*owned_));
    } catch (const Error&) { // the error that brought us here matters more; gc will try again
    }
}

void NewPod::make_dir(const std::string& path, mode_t mode)
{
    make_exact_dir(owned_->pod.fd(), path, mode);
    written_.push_back(sys::open(owned_->pod.fd(), path, directory));
}

void NewPod::write(const std::string& path, std::string_view content)
{
    with_context(fmt::format("writing {}", text::quoted(path)), [&] {
        constexpr int new_file = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
        written_.push_back(sys::open(owned_->pod.fd(), path, new_file, 0644));
        sys::check([&] { return ::fchmod(written_.back().get(), 0644); }, "setting its mode");
        sys::write_all(written_.back().get(), content);
    });
}

void NewPod::fill_app(const model::RuntimeApp& app, const Image& image, bool overlay)
{
    make_app_directory(owned_->pod.fd(), app, image, overlay, tick_);
    const auto add = [&](const std::string& path) {
        written_.push_back(sys::open(owned_->pod.fd(), path, O_RDONLY | O_NOFOLLOW));
    };
    add(pod_dir::app_manifest(app.name));
    add(pod_dir::app(app.name));
    if (overlay) {
        add(pod_dir::app_upper(app.name));
        add(pod_dir::app_work(app.name));
    }
    copied_trees_ = copied_trees_ || !overlay;
}

void make_app_directory(int pod_dir_fd, const model::RuntimeApp& app, const Image& image, bool overlay,
                        const std::function<void()>& tick)
{
    make_exact_dir(pod_dir_fd, pod_dir::app(app.name), 0755);
    const auto dir = sys::open(pod_dir_fd, pod_dir::app(app.name), directory);
    file::write_volatile(dir.get(), "manifest", image.manifest_text);
    const auto trees = store::LayerStack::open(image.trees);
    if (!overlay)
        return store::copy_tree(trees.root(), pod_dir_fd, pod_dir::app_rootfs(app.name), tick);
    make_exact_dir(pod_dir_fd, pod_dir::app_upper(app.name), 0755);
    make_exact_dir(pod_dir_fd, pod_dir::app_work(app.name), 0700);
    // The upper directory is what the app sees as "/": its owner, mode, times and attributes, not the image's.
    store::copy_metadata(trees.tree(0), sys::open(pod_dir_fd, pod_dir::app_upper(app.name), directory).get());
}

void NewPod::fill_volumes(const PodContent& content)
{
    if (content.seeds.empty())
        return;
    make_dir(pod_dir::volumes, 0700);
    for (const auto& seed : content.seeds)
        plant_seed(seed, content.manifest.apps[seed.app].name, content.images.at(seed.app), owned_->pod.fd(), tick_);
    copied_trees_ = true;
}

void NewPod::fill(const PodContent& content)
{
    if (content.private_users)
        reserve_id_range(layout_, owned_->pod.fd());
    make_dir(pod_dir::stage1, 0755);
    write(pod_dir::stage1_manifest, content.stage1.manifest_text);

    model::Runtime runtime{
        .stage1_rootfs = content.stage1.rootfs, .stage1_image = content.stage1.image, .overlay = content.overlay};
    make_dir(pod_dir::apps, 0700); // set-id files that apps make must not be within reach of the host's users
    for (std::size_t i = 0; i < content.manifest.apps.size(); ++i) {
        const auto& app = content.manifest.apps[i];
        const auto& image = content.images.at(i);
        with_context(fmt::format("preparing app {}", text::quoted(app.name.str())),
                     [&] { fill_app(app, image, content.overlay); });
        runtime.apps.push_back({app.name, image.id, image.trees});
        tick_();
    }
    fill_volumes(content);
    write(pod_dir::runtime, runtime.write());
    if (!content.origins.empty())
        write(origins_file, content.origins);
    write(pod_dir::manifest, content.manifest.write());
    write(pod_dir::created, "");
}

// For pods that are to survive a power cut. A few files one by one: syncfs would make us wait for everything that
// others have written lately.
void NewPod::sync()
{
    if (copied_trees_)
        sys::syncfs(owned_->pod.fd());
    for (const auto& fd : written_)
        sys::fsync(fd.get());
    sys::fsync(owned_->pod.fd());
}

OwnedPod NewPod::publish(PodStage stage) &&
{
    // A pod in run/ is dead after a power cut whatever its files hold, and gc takes it away unread: nothing to wait
    // for.
    const bool survives = stage == PodStage::prepared;
    if (survives)
        sync();
    if (!owned_->pod.move_to(stage, survives ? Pod::Durable::yes : Pod::Durable::no))
        fail(Error::Kind::system, "the pod directory of {} has been moved by somebody else", id().str());
    owned_->pod.refresh();
    OwnedPod result = std::move(*owned_);
    owned_.reset();
    return result;
}

} // namespace rocket::pod
