// SPDX-License-Identifier: Apache-2.0
#include "stage1/plan.hh"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/model/layout.hh"
#include "common/sys/error.hh"
#include "common/sys/path.hh"
#include "common/sys/process.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

// What we put into each app's /dev ourselves (devices.cc).
constexpr std::array<std::string_view, 16> own_devices{"null",    "zero",   "full",   "random", "urandom", "tty",
                                                       "console", "ptmx",   "pts",    "shm",    "mqueue",  "fd",
                                                       "stdin",   "stdout", "stderr", "log"};

// Volumes may bring devices, as /dev/NAME or /dev/DIR/NAME, but never cover what is ours (R5).
bool is_free_leaf_of_dev(std::string_view target)
{
    constexpr std::string_view dev = "/dev/";
    if (!target.starts_with(dev))
        return false;
    const auto parts = text::split(target.substr(dev.size()), '/');
    return parts.size() <= 2 && std::ranges::find(own_devices, parts[0]) == own_devices.end();
}

void check_target(const std::string& app, const VolumeMount& mount, const std::string& volume)
{
    for (const char* kernel_tree : {"/proc", "/sys", "/dev"})
        if (!mount.in_dev && is_at_or_below(mount.target, kernel_tree))
            throw Error{Error::Kind::usage,
                        fmt::format("volume {} cannot be mounted on {} of app {}", text::quoted(volume),
                                    text::quoted(mount.target), text::quoted(app)),
                        "/proc, /sys and the standard devices are the pod's own; choose another target"};
}

// The mount point that a mount satisfies: the one with its path, else the one with its volume's name (VOL-9).
const model::MountPoint* mount_point_of(const model::App& app, const model::Mount& mount, const std::string& target)
{
    const auto& points = app.mount_points;
    auto found = std::ranges::find_if(points, [&](const auto& point) { return clean_absolute(point.path) == target; });
    if (found == points.end())
        found = std::ranges::find_if(points, [&](const auto& point) { return point.name == mount.volume; });
    return found == points.end() ? nullptr : &*found;
}

VolumeSource source_of(const Pod& pod, const model::RuntimeApp& app, const model::Mount& mount)
{
    const auto& volume = model::volume_of(pod.manifest, mount);
    if (volume.kind == model::Volume::Kind::host)
        return {.name = volume.name.str(),
                .kind = VolumeSource::Kind::host,
                .path = clean_absolute(volume.source),
                .recursive = volume.recursive.value_or(true)};
    // An empty volume of the mount's own is the app's alone, unless the pod has one of its name (VOL-7).
    const bool shared = !mount.app_volume || pod.manifest.find_volume(volume.name) != nullptr;
    return {.name = volume.name.str(),
            .kind = VolumeSource::Kind::empty,
            .path = shared ? model::pod_dir::volume(volume.name) : model::pod_dir::volume(app.name, volume.name),
            .mode = volume.mode,
            .uid = volume.uid,
            .gid = volume.gid};
}

// The same place opened in the same way is one source, whoever names it.
std::size_t index_of(std::vector<VolumeSource>& sources, VolumeSource wanted)
{
    const auto same = [&](const VolumeSource& known) {
        return known.kind == wanted.kind && known.path == wanted.path && known.recursive == wanted.recursive;
    };
    const auto found = std::ranges::find_if(sources, same);
    if (found != sources.end())
        return static_cast<std::size_t>(found - sources.begin());
    sources.push_back(std::move(wanted));
    return sources.size() - 1;
}

model::Streams plan_streams(const model::RuntimeApp& app, bool interactive)
{
    constexpr auto all = model::StreamMode::interactive;
    if (interactive)
        return {all, all, all};
    return with_context(fmt::format("app {}", text::quoted(app.name.str())),
                        [&] { return model::streams_of(app.annotations); });
}

// What a converted image asks to be ended with (OMAP-8), unless the pod says something else. Of a word that is no
// signal its import has told.
model::AppPolicy plan_policy(const model::RuntimeApp& app, const model::ImageManifest& image,
                             const model::Streams& streams)
{
    auto policy = model::policy_of(app.annotations);
    const auto* const stop_signal = model::find(image.annotations, "org.opencontainers.image.stopsignal");
    if (stop_signal != nullptr && model::find(app.annotations, "rocket/stop-signal") == nullptr)
        policy.stop_signal = model::parse_signal(*stop_signal).value_or(policy.stop_signal);
    const bool has_input_for_one =
        streams.input == model::StreamMode::stream || streams.uses(model::StreamMode::interactive);
    if (policy.restarts() && has_input_for_one)
        throw Error{
            Error::Kind::usage,
            fmt::format("app {} cannot be started again: its stdin is for one process", text::quoted(app.name.str())),
            "do without rocket/restart, or give it --stdin=tty or --stdin=null"};
    return policy;
}

AppPlan plan_app(const Pod& pod, std::size_t index, std::vector<VolumeSource>& sources)
{
    const auto& runtime_app = pod.manifest.apps[index];
    const auto& name = runtime_app.name;
    AppPlan app{
        .name = name.str(), .root = model::in_pod::app_rootfs(name.str()), .read_only = runtime_app.read_only_root_fs};
    if (pod.runtime.overlay) {
        app.trees = pod.runtime.find(name)->trees;
        app.upper = model::pod_dir::app_upper(name);
        app.work = model::pod_dir::app_work(name);
    } else {
        app.rootfs = model::pod_dir::app_rootfs(name);
    }
    for (const auto& mount : runtime_app.mounts) {
        const auto& volume = model::volume_of(pod.manifest, mount);
        VolumeMount planned{.target = clean_absolute(mount.path)};
        planned.of_pod = volume.kind == model::Volume::Kind::empty;
        planned.in_dev = volume.kind == model::Volume::Kind::host && is_free_leaf_of_dev(planned.target);
        check_target(app.name, planned, volume.name.str());
        planned.read_only = model::is_read_only(volume, mount_point_of(pod.app(index), mount, planned.target));
        planned.source = index_of(sources, source_of(pod, runtime_app, mount));
        app.volumes.push_back(std::move(planned));
    }
    return app;
}

// What only the host's root can give (users/own_root.hh).
void check_without_root(const RunOptions& options)
{
    if (options.private_users)
        throw Error{Error::Kind::unsupported, "private users are the host's root's to give",
                    "do without --private-users: this pod has a user namespace already"};
    if (options.network == NetworkKind::planned)
        throw Error{Error::Kind::unsupported, "networks are the host's root's to make", "use --net=none or --net=host"};
}

} // namespace

Plan make_plan(const Pod& pod, const RunOptions& options)
{
    if (options.interactive && pod.manifest.apps.size() != 1)
        throw Error{Error::Kind::usage, "interactive option only supports pods with one app",
                    "give one of them --stdin=interactive instead"};
    if (in_user_namespace())
        check_without_root(options);
    Plan plan{
        .id = pod.id,
        .hostname = options.hostname.empty() ? "rkt-" + pod.id.str() : options.hostname,
        .stage1_rootfs = pod.runtime.stage1_rootfs,
        .overlay = pod.runtime.overlay,
        .private_users = options.private_users,
        .in_user_namespace = in_user_namespace(),
        .new_network = options.network != NetworkKind::host,
        .new_ipc = options.ipc != Ipc::parent,
        .debug = options.debug,
        .is_mutable = options.is_mutable,
        .mask_paths = options.restrict_paths,
        .restrict_capabilities = options.restrict_capabilities,
        .restrict_seccomp = options.restrict_seccomp,
        .planned_network = options.network == NetworkKind::planned,
        .resolv_conf = options.resolv_conf,
        .hosts = options.hosts,
    };
    for (std::size_t index = 0; index < pod.manifest.apps.size(); ++index) {
        plan.apps.push_back(plan_app(pod, index, plan.sources));
        plan.apps.back().streams = plan_streams(pod.manifest.apps[index], options.interactive);
        plan.apps.back().policy = plan_policy(pod.manifest.apps[index], pod.images[index], plan.apps.back().streams);
        plan.apps.back().log_file = cri_log_place(pod.manifest, pod.manifest.apps[index]);
    }
    const auto is_interactive = [](const AppPlan& app) { return app.streams.uses(model::StreamMode::interactive); };
    if (std::ranges::count_if(plan.apps, is_interactive) > 1)
        throw Error{Error::Kind::usage, "only one app of a pod can be interactive: the caller has one terminal"};

    // A unit that is always there: PID 1 has nothing to do at boot, and is ready for calls 10 ms sooner (it watches for
    // passwords while it has jobs, and the end of an inotify watch takes long). The rest is started once the apps are.
    plan.init_argv = {"/usr/lib/systemd/systemd", "--system",        "--unit=system.slice",
                      "--show-status=0",          "--crash-shell=0", "--dump-core=0"};
    plan.init_env = {"PATH=/usr/sbin:/usr/bin", "container=rocket", "container_uuid=" + pod.id.str(),
                     options.debug ? "SYSTEMD_LOG_TARGET=console" : "SYSTEMD_LOG_TARGET=null",
                     options.debug ? "SYSTEMD_LOG_LEVEL=debug" : "SYSTEMD_LOG_LEVEL=err"};
    return plan;
}

} // namespace rocket::stage1
