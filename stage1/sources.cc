// SPDX-License-Identifier: Apache-2.0
#include "stage1/sources.hh"

#include <linux/openat2.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <termios.h>
#include <unistd.h>

#include <algorithm>

#include "common/model/layout.hh"
#include "common/model/network.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/mount.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/app_root.hh"
#include "stage1/clones.hh"
#include "stage1/hosts_text.hh"
#include "stage1/live_names.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t name_file_limit = 1U << 20U;

// Whatever the umask of whoever started us.
void make_node(const Fd& dir, const char* name, mode_t type_and_mode, dev_t device, const PrivateUsers* users,
               uid_t uid = 0, gid_t gid = 0)
{
    sys::check([&] { return ::mknodat(dir.get(), name, type_and_mode, device); }, "making device {}", name);
    sys::check([&] { return ::fchmodat(dir.get(), name, type_and_mode & 07777U, 0); }, "setting the mode of device {}",
               name);
    const auto first = users != nullptr ? users->range.first : 0;
    sys::check([&] { return ::fchownat(dir.get(), name, first + uid, first + gid, AT_SYMLINK_NOFOLLOW); },
               "setting the owner of device {}", name);
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
                        "name the place itself, for a link could be led elsewhere later; or say --follow-volume-links"};
        throw;
    }
}

Fd open_volume(const VolumeSource& volume, int pod_dir)
{
    return with_context(fmt::format("opening volume {}", text::quoted(volume.name)), [&] {
        return volume.kind == VolumeSource::Kind::host ? open_host_volume(volume) : make_empty_volume(volume, pod_dir);
    });
}

// A device's file system cannot be mapped: a node of our own stands for it, with its owner's id in the pod.
Fd mapped_device(const struct stat& device, const PrivateUsers& users)
{
    const auto dir = new_tmpfs("4k", "8", 0, &users);
    const auto own = [&](std::uint32_t id) { return id < users.range.count ? id : 0; };
    make_node(dir, "device", device.st_mode, device.st_rdev, &users, own(device.st_uid), own(device.st_gid));
    return mount::clone(sys::open(dir.get(), "device", O_PATH | O_NOFOLLOW).get(), false);
}

VolumeTree clone_volume(const VolumeMount& planned, const VolumeSource& volume, int place, AppSources& app,
                        const PrivateUsers* users)
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
    if (device && users != nullptr) {
        auto node = mapped_device(type, *users);
        mount::set_attributes(node.get(), attributes, 0, false);
        return {.tree = std::move(node)};
    }
    return naming(fmt::format("volume {}", text::quoted(volume.name)), [&] {
        return VolumeTree{.tree = private_clone(place, directory && volume.recursive, attributes, users),
                          .directory = directory};
    });
}

std::vector<Fd> new_devpts_and_master()
{
    std::vector<Fd> both;
    both.push_back(new_devpts());
    both.push_back(sys::open(both.front().get(), "ptmx", O_RDWR | O_NOCTTY));
    return both;
}

AppSources open_app(const AppPlan& app, const Plan& plan, const std::vector<Fd>& volumes, int pod_dir,
                    const PrivateUsers* users)
{
    AppSources opened;
    opened.root = open_app_root(app, plan.overlay, pod_dir, users);
    for (const auto& volume : app.volumes)
        opened.volumes.push_back(
            clone_volume(volume, plan.sources[volume.source], volumes[volume.source].get(), opened, users));
    if (app.streams.has_terminal())
        opened.terminal = make_terminal(users);
    return opened;
}

// A copy, not a mount of the host's file: one that is replaced later would go on being the old one (internals F14).
std::optional<std::string> read_name_file(NameFile mode, const char* host_path, int pod_dir, const char* pod_path)
{
    if (mode == NameFile::host) {
        auto content = file::read_if_exists(AT_FDCWD, host_path, name_file_limit);
        if (!content) // at boot it may come later, and is followed then (live_names.hh)
            log::print("warning: this host has no {}: the pod's is empty", text::quoted(host_path));
        return content.value_or("");
    }
    if (mode == NameFile::pod)
        return file::read(pod_dir, pod_path, name_file_limit);
    return std::nullopt;
}

// What the networks will say is written into these two later (live_names.hh); the apps' mounts are made before.
void make_room_for_network_names(Sources& sources, const Plan& plan, int pod_dir)
{
    const auto networks = model::NetworkPlan::parse(file::read(pod_dir, model::pod_dir::network_plan));
    if (plan.resolv_conf == NameFile::image && may_bring_dns(networks))
        sources.resolv_conf = model::DnsConfig{}.resolv_conf();
    if (plan.hosts == NameFile::image && !networks.hostname.empty())
        sources.hosts = hosts_of(plan.hostname);
}

} // namespace

// The ids that a devpts goes by are those of who makes it.
Terminal make_terminal(const PrivateUsers* users)
{
    auto opened = users == nullptr ? new_devpts_and_master() : open_in_child([&] {
        become_root_in(users->users.get());
        sys::check([] { return ::unshare(CLONE_NEWNS); }, "making a mount namespace");
        return new_devpts_and_master();
    });
    Terminal terminal{.filesystem = std::move(opened.at(0)), .master = std::move(opened.at(1))};
    int locked = 0;
    sys::check([&] { return ::ioctl(terminal.master.get(), TIOCSPTLCK, &locked); }, "unlocking the terminal");
    const winsize usual{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0}; // until somebody has another one
    sys::check([&] { return ::ioctl(terminal.master.get(), TIOCSWINSZ, &usual); }, "setting the terminal's size");
    return terminal;
}

Fd new_dev(bool borrowed, const PrivateUsers* users)
{
    constexpr struct {
        const char* name;
        unsigned major, minor;
    } nodes[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
    auto dev = new_tmpfs("1m", "1k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, users);
    for (const auto& node : nodes)
        if (borrowed) // the host's node is mounted on it: devices.cc
            sys::open(dev.get(), node.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        else
            make_node(dev, node.name, S_IFCHR | 0666, makedev(node.major, node.minor), users);
    return dev;
}

PodFacts with_sources(PodFacts facts, const Plan& plan, const Sources& sources)
{
    facts.restrict_capabilities = plan.restrict_capabilities;
    facts.restrict_paths = plan.mask_paths;
    facts.restrict_seccomp = plan.restrict_seccomp;
    facts.private_users = plan.private_users;
    if (plan.private_users) // root there has no say over the host's memory
        facts.lowest_oom_score = std::max(facts.lowest_oom_score, own_oom_score());
    for (std::size_t index = 0; index < plan.apps.size(); ++index) {
        facts.devices[plan.apps[index].name] = sources.apps[index].devices;
        if (sources.apps[index].terminal)
            facts.terminals.insert(plan.apps[index].name);
    }
    return facts;
}

Fd new_devpts()
{
    return mount::NewFilesystem{"devpts"}
        .set("ptmxmode", "0666")
        .set("mode", "0620")
        .set("gid", "5")
        .create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC); // not nodev: it is all devices
}

std::vector<AppSources> open_apps(const Pod& pod, const Plan& plan, const PrivateUsers* users)
{
    std::vector<Fd> volumes;
    for (const auto& volume : plan.sources)
        volumes.push_back(open_volume(volume, pod.dir.get()));
    std::vector<AppSources> apps;
    for (const auto& app : plan.apps)
        apps.push_back(with_context(fmt::format("opening app {}", text::quoted(app.name)),
                                    [&] { return open_app(app, plan, volumes, pod.dir.get(), users); }));
    return apps;
}

Sources open_app_sources(const Pod& pod, const Plan& plan)
{
    const int pod_dir = pod.dir.get();
    Sources sources;
    if (plan.private_users)
        sources.users = make_private_users(*plan.private_users);
    const auto* const users = sources.users ? &*sources.users : nullptr;
    sources.run = new_tmpfs("64m", "64k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, users);
    sources.dev = new_dev(plan.in_user_namespace, users);
    sources.resolv_conf = read_name_file(plan.resolv_conf, "/etc/resolv.conf", pod_dir, model::pod_dir::resolv_conf);
    sources.hosts = read_name_file(plan.hosts, "/etc/hosts", pod_dir, model::pod_dir::hosts);
    if (plan.planned_network)
        make_room_for_network_names(sources, plan, pod_dir);
    sources.apps = open_apps(pod, plan, users);
    return sources;
}

Sources open_sources(const Pod& pod, const Plan& plan)
{
    const int pod_dir = pod.dir.get();
    auto sources = open_app_sources(pod, plan);
    const auto* const users = sources.users ? &*sources.users : nullptr;
    sources.root = with_context("opening the stage1 image", [&] {
        return private_clone(open_dir(AT_FDCWD, plan.stage1_rootfs).get(), false,
                             MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, nullptr);
    });
    sys::make_dir_if_missing(pod_dir, model::pod_dir::journal, 0755);
    sources.journal = private_clone(open_dir(pod_dir, model::pod_dir::journal).get(), false,
                                    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, users);
    if (plan.debug)
        sources.console = make_terminal(users);
    return sources;
}

} // namespace rocket::stage1
