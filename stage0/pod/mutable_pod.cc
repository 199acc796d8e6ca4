// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/mutable_pod.hh"

#include <unistd.h>

#include <algorithm>

#include "common/model/mutability.hh"
#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/remove.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/new_pod.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::pod
{

namespace
{

namespace pod_dir = model::pod_dir;

model::PodManifest read_manifest(const Pod& pod)
{
    auto manifest = model::PodManifest::parse(file::read(pod.fd(), pod_dir::manifest));
    if (!model::is_mutable(manifest))
        throw Error{Error::Kind::usage, "immutable pod",
                    "only the apps of pods made by `rocket app sandbox` can change"};
    return manifest;
}

Lock lock_for_change(const Pod& pod)
{
    read_manifest(pod); // nothing is made in the directory of a pod that cannot change
    return Lock::take(sys::open(pod.fd(), pod_dir::change, O_RDWR | O_CREAT | O_NOFOLLOW, 0644), Lock::Mode::exclusive);
}

void call(const Pod& pod, const std::string& entry_point, const model::AppName& app)
{
    const auto status = call_stage1(pod, entry_point, {"--debug=false", "--app=" + app.str()});
    if (!status.ok())
        fail(Error::Kind::system, "stage1 {} failed with status {}", entry_point, status.shell_status());
}

void remove_if_exists(int dir, const std::string& parent, const std::string& name)
{
    if (const auto fd = sys::open_if_exists(dir, parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        remove_tree(fd->get(), name);
}

// volumes/APP.NAME: those that are the app's alone.
void remove_own_volumes(int dir, const model::AppName& app)
{
    const auto names = file::list_if_exists(dir, pod_dir::volumes);
    for (const auto& name : names.value_or(std::vector<std::string>{}))
        if (name.starts_with(app.str() + "."))
            remove_if_exists(dir, pod_dir::volumes, name);
}

} // namespace

MutablePod::MutablePod(const Pod& pod, std::function<void()> tick)
    : pod_{pod}, tick_{std::move(tick)}, change_{lock_for_change(pod)}, manifest_{read_manifest(pod)}
{
    repair();
}

bool MutablePod::is_running() const
{
    return is_locked_exclusively(pod_.fd(), ".");
}

void MutablePod::begin(const model::AppName& app)
{
    const auto written = sys::check([&] { return ::pwrite(change_.fd(), app.str().data(), app.str().size(), 0); },
                                    "recording the change");
    if (static_cast<std::size_t>(written) != app.str().size())
        throw system_error(ENOSPC, "recording the change");
}

void MutablePod::end()
{
    sys::check([&] { return ::ftruncate(change_.fd(), 0); }, "recording the end of the change");
}

void MutablePod::repair()
{
    constexpr std::size_t limit = 4096;
    const auto name = sys::read_to_end(change_.fd(), limit);
    if (name.empty())
        return;
    const auto app = model::AppName::parse(name);
    with_context(fmt::format("removing app {}, which a killed command has left", text::quoted(app.str())),
                 [&] { take_away(app); });
    end();
}

void MutablePod::write(const model::PodManifest& manifest)
{
    file::write_volatile(pod_.fd(), pod_dir::manifest, manifest.write());
    manifest_ = manifest;
}

void MutablePod::add(model::PodManifest manifest, const Image& image, const std::vector<Seed>& seeds,
                     const Origins& origins)
{
    const auto app = manifest.apps.back(); // a copy
    auto runtime = model::Runtime::parse(file::read(pod_.fd(), pod_dir::runtime));
    begin(app.name);
    try {
        make_app_directory(pod_.fd(), app, image, runtime.overlay, tick_);
        if (!seeds.empty())
            sys::make_dir_if_missing(pod_.fd(), pod_dir::volumes, 0700);
        for (const auto& seed : seeds)
            plant_seed(seed, app.name, image, pod_.fd(), tick_);
        const auto directory =
            sys::open(pod_.fd(), added_origins_directory(app.name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        file::write_volatile(directory.get(), origins_file, pod::write(origins), 0640);
        runtime.apps.push_back({app.name, image.id, image.trees});
        file::write_volatile(pod_.fd(), pod_dir::runtime, runtime.write());
        write(manifest);
        call(pod_, "app/add", app.name);
    } catch (const Error&) {
        take_away(app.name);
        end();
        throw;
    }
    end();
}

void MutablePod::remove(const model::AppName& app)
{
    if (manifest_.find_app(app) == nullptr)
        fail(Error::Kind::usage, "error: nonexistent app {}", text::quoted(app.str()));
    begin(app);
    take_away(app);
    end();
}

// The running pod first: as long as it has the app, everything else of it stays.
void MutablePod::take_away(const model::AppName& app)
{
    if (is_running())
        call(pod_, "app/rm", app);
    const auto is_app = [&](const auto& one) { return one.name == app; };
    if (manifest_.find_app(app) != nullptr) {
        auto manifest = manifest_;
        std::erase_if(manifest.apps, is_app);
        write(manifest);
    }
    auto runtime = model::Runtime::parse(file::read(pod_.fd(), pod_dir::runtime));
    if (std::erase_if(runtime.apps, is_app) > 0)
        file::write_volatile(pod_.fd(), pod_dir::runtime, runtime.write());
    remove_if_exists(pod_.fd(), pod_dir::apps, app.str());
    remove_own_volumes(pod_.fd(), app);
    for (const auto& file :
         {pod_dir::app_status(app), pod_dir::app_result(app), pod_dir::app_started(app), pod_dir::app_created(app)})
        if (sys::stat_if_exists(pod_.fd(), pod_dir::status))
            sys::unlink_if_exists(pod_.fd(), file);
}

void start_app(const Pod& pod, const model::AppName& app)
{
    if (MutablePod{pod, {}}.manifest().find_app(app) == nullptr) // and its lock is given back
        fail(Error::Kind::usage, "error: nonexistent app {}", text::quoted(app.str()));
    call(pod, "app/start", app);
}

void stop_app(const Pod& pod, const model::AppName& app)
{
    if (MutablePod{pod, {}}.manifest().find_app(app) == nullptr)
        fail(Error::Kind::usage, "error: nonexistent app {}", text::quoted(app.str()));
    call(pod, "app/stop", app);
}

} // namespace rocket::pod
