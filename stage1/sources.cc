// SPDX-License-Identifier: Apache-2.0
#include "stage1/sources.hh"

#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <termios.h>

#include <ranges>

#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/mount.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t name_file_limit = 1U << 20U;

// The modes below are exact, whatever the umask of whoever started us.
void make_dir(int dir, const std::string& name, mode_t mode)
{
    sys::make_dir(dir, name, 0700);
    sys::check([&] { return ::fchmodat(dir, name.c_str(), mode, 0); }, "setting the mode of {}", text::quoted(name));
}

Fd open_dir(int dir, const std::string& path)
{
    return sys::open(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Fd private_clone(int source, bool recursive, std::uint64_t attributes)
{
    auto tree = mount::clone(source, recursive);
    mount::set_propagation(tree.get(), MS_PRIVATE, recursive); // a clone is a peer of what it was made of (VOL-17)
    mount::set_attributes(tree.get(), attributes, 0, recursive);
    return tree;
}

// Kernels before 6.13 take the layers of an overlay by path only.
void set_layer(mount::NewFilesystem& overlay, const char* key, const Fd& layer)
{
    if (!overlay.try_set_fd(key, layer.get()))
        overlay.set(key, sys::proc_path(layer.get()));
}

// The topmost first.
void set_lower_layers(mount::NewFilesystem& overlay, const std::vector<Fd>& layers)
{
    if (!overlay.try_set_fd("lowerdir+", layers.front().get())) {
        std::string paths;
        for (const auto& layer : layers)
            paths += (paths.empty() ? "" : ":") + sys::proc_path(layer.get());
        overlay.set("lowerdir", paths);
        return;
    }
    for (const auto& layer : layers | std::views::drop(1))
        overlay.set_fd("lowerdir+", layer.get());
}

void copy_owner_and_mode(const Fd& from, const Fd& to)
{
    const auto wanted = sys::stat(from.get()), found = sys::stat(to.get());
    if (wanted.st_uid != found.st_uid || wanted.st_gid != found.st_gid)
        sys::check([&] { return ::fchownat(to.get(), "", wanted.st_uid, wanted.st_gid, AT_EMPTY_PATH); },
                   "setting the owner of the app's root");
    if (wanted.st_mode != found.st_mode)
        sys::check([&] { return ::fchmodat(to.get(), ".", wanted.st_mode & 07777, 0); },
                   "setting the mode of the app's root");
}

Fd mount_overlay(const AppPlan& app, int pod_dir)
{
    std::vector<Fd> lower;
    for (const auto& tree : app.trees)
        lower.push_back(open_dir(AT_FDCWD, tree));
    const auto upper = open_dir(pod_dir, app.upper);
    copy_owner_and_mode(lower.front(), upper); // the overlay's root is the upper one
    const auto work = open_dir(pod_dir, app.work);
    make_top_directories(lower, upper.get());
    mount::NewFilesystem overlay{"overlay"};
    set_lower_layers(overlay, lower);
    set_layer(overlay, "upperdir", upper);
    set_layer(overlay, "workdir", work);
    overlay.flag(
        "volatile"); // or its end would write back everything dirty on the disk; a pod does not survive a crash
    return overlay.create(MOUNT_ATTR_NODEV);
}

Fd clone_copy(const AppPlan& app, int pod_dir)
{
    const auto copy = open_dir(pod_dir, app.rootfs);
    make_top_directories({}, copy.get());
    return private_clone(copy.get(), false, MOUNT_ATTR_NODEV);
}

Fd make_empty_volume(const VolumeSource& volume, int pod_dir)
{
    sys::make_dir_if_missing(pod_dir, model::pod_dir::volumes, 0700);
    if (sys::make_dir_if_missing(pod_dir, volume.path, 0700)) {
        const auto dir = sys::open(pod_dir, volume.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        sys::check([&] { return ::fchown(dir.get(), volume.uid, volume.gid); }, "setting the owner of the volume");
        sys::check([&] { return ::fchmod(dir.get(), volume.mode); }, "setting the mode of the volume");
    }
    return open_dir(pod_dir, volume.path);
}

Fd open_host_volume(const VolumeSource& volume)
{
    try {
        return sys::open_resolved(AT_FDCWD, volume.path, O_PATH, RESOLVE_NO_SYMLINKS);
    } catch (const Error& error) {
        const auto source = fmt::format("source {} of volume {}", text::quoted(volume.path), text::quoted(volume.name));
        if (error.kind() == Error::Kind::not_found)
            throw Error{error.kind(), source + " does not exist",
                        "it must be there before the pod starts; nothing is created on the host"};
        if (error.error_number() == ELOOP)
            throw Error{Error::Kind::usage, source + " has a symbolic link in its path",
                        "name the place itself: a link could be led elsewhere later"};
        throw;
    }
}

Fd open_volume(const VolumeSource& volume, int pod_dir)
{
    return with_context(fmt::format("opening volume {}", text::quoted(volume.name)), [&] {
        return volume.kind == VolumeSource::Kind::host ? open_host_volume(volume) : make_empty_volume(volume, pod_dir);
    });
}

VolumeTree clone_volume(const VolumeMount& planned, const VolumeSource& volume, int place, AppSources& app)
{
    const auto type = sys::stat(place);
    const bool directory = S_ISDIR(type.st_mode);
    const bool device = S_ISCHR(type.st_mode) || S_ISBLK(type.st_mode);
    if (planned.in_dev && !device)
        throw Error{Error::Kind::usage,
                    fmt::format("volume {} cannot be mounted on {}: its source {} is not a device",
                                text::quoted(volume.name), text::quoted(planned.target), text::quoted(volume.path)),
                    "only devices can be mounted below /dev"};
    if (device)
        app.devices.push_back({.block = S_ISBLK(type.st_mode),
                               .major = major(type.st_rdev),
                               .minor = minor(type.st_rdev),
                               .writable = !planned.read_only});
    std::uint64_t attributes = MOUNT_ATTR_NOSUID;
    if (!device)
        attributes |= MOUNT_ATTR_NODEV;
    if (planned.read_only)
        attributes |= MOUNT_ATTR_RDONLY; // on submounts, too (VOL-9)
    return {.tree = private_clone(place, directory && volume.recursive, attributes), .directory = directory};
}

Terminal make_terminal()
{
    Terminal terminal;
    terminal.filesystem = new_devpts();
    terminal.master = sys::open(terminal.filesystem.get(), "ptmx", O_RDWR | O_NOCTTY);
    int locked = 0;
    sys::check([&] { return ::ioctl(terminal.master.get(), TIOCSPTLCK, &locked); }, "unlocking the terminal");
    const winsize usual{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0}; // until somebody has another one
    sys::check([&] { return ::ioctl(terminal.master.get(), TIOCSWINSZ, &usual); }, "setting the terminal's size");
    return terminal;
}

AppSources open_app(const AppPlan& app, const Plan& plan, const std::vector<Fd>& volumes, int pod_dir)
{
    AppSources opened;
    opened.root = plan.overlay ? mount_overlay(app, pod_dir) : clone_copy(app, pod_dir);
    for (const auto& volume : app.volumes)
        opened.volumes.push_back(
            clone_volume(volume, plan.sources[volume.source], volumes[volume.source].get(), opened));
    if (app.streams.has_terminal())
        opened.terminal = make_terminal();
    return opened;
}

// A copy, not a mount of the host's file: one that is replaced later would go on being the old one (internals F14).
std::optional<std::string> read_name_file(NameFile mode, const char* host_path, int pod_dir, const char* pod_path)
{
    if (mode == NameFile::host)
        return file::read(AT_FDCWD, host_path, name_file_limit);
    if (mode == NameFile::pod)
        return file::read(pod_dir, pod_path, name_file_limit);
    return std::nullopt;
}

} // namespace

Fd new_devpts()
{
    return mount::NewFilesystem{"devpts"}
        .set("ptmxmode", "0666")
        .set("mode", "0620")
        .set("gid", "5")
        .create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC); // not nodev: it is all devices
}

void make_top_directories(std::span<const Fd> image, int layer)
{
    const auto is_dir = [](const auto& found) { return found && S_ISDIR(found->st_mode); };
    const auto image_has_dir = [&](const char* name) {
        for (const auto& tree : image)
            if (const auto found = sys::stat_if_exists(tree.get(), name)) // a white-out is found as well
                return S_ISDIR(found->st_mode);
        return false;
    };
    constexpr std::pair<const char*, mode_t> directories[] = {
        {"dev", 0755}, {"proc", 0755}, {"sys", 0755}, {"run", 0755}, {"etc", 0755}, {"tmp", 01777},
    };
    for (const auto& [name, mode] : directories) {
        const auto ours = sys::stat_if_exists(layer, name);
        if (is_dir(ours) || (!ours && image_has_dir(name)))
            continue;
        if (ours)
            sys::unlink(layer, name); // the pod's copy of the image, not the image
        make_dir(layer, name, mode);
    }
}

Sources open_sources(const Pod& pod, const Plan& plan)
{
    const int pod_dir = pod.dir.get();
    Sources sources;
    sources.root = with_context("opening the stage1 image", [&] {
        return private_clone(open_dir(AT_FDCWD, plan.stage1_rootfs).get(), false,
                             MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    });
    sources.run = mount::NewFilesystem{"tmpfs"}
                      .set("mode", "0755")
                      .set("size", "64m")
                      .set("nr_inodes", "64k")
                      .create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    sys::make_dir_if_missing(pod_dir, model::pod_dir::journal, 0755);
    sources.journal = private_clone(open_dir(pod_dir, model::pod_dir::journal).get(), false,
                                    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    sources.resolv_conf = read_name_file(plan.resolv_conf, "/etc/resolv.conf", pod_dir, model::pod_dir::resolv_conf);
    sources.hosts = read_name_file(plan.hosts, "/etc/hosts", pod_dir, model::pod_dir::hosts);

    std::vector<Fd> volumes;
    for (const auto& volume : plan.sources)
        volumes.push_back(open_volume(volume, pod_dir));
    for (const auto& app : plan.apps)
        sources.apps.push_back(with_context(fmt::format("opening app {}", text::quoted(app.name)),
                                            [&] { return open_app(app, plan, volumes, pod_dir); }));
    if (plan.debug)
        sources.console = make_terminal();
    return sources;
}

} // namespace rocket::stage1
