// SPDX-License-Identifier: Apache-2.0
#include <linux/openat2.h>
#include <sched.h>
#include <sys/syscall.h>

#include "common/model/layout.hh"
#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* run_dir = "rocket"; // in /run

Fd small_tmpfs(const char* mode, std::uint64_t attributes)
{
    return mount::NewFilesystem{"tmpfs"}.set("mode", mode).set("size", "16m").create(attributes);
}

Fd place_in_root(const Construction& pod, const char* path, int flags)
{
    return with_context(fmt::format("the stage1 image has no {}", path),
                        [&] { return pod.root.open(path, O_PATH | flags); });
}

std::string machine_id(const model::PodId& id)
{
    auto text = id.str();
    std::erase(text, '-');
    return text + '\n';
}

void write_units(const Construction& pod)
{
    if (pod.plan.init_units.empty())
        return;
    const std::string place = "systemd/system";
    sys::make_dir(pod.run.fd(), place, 0755);
    for (const auto& [name, content] : pod.plan.init_units) {
        if (const auto slash = name.find('/'); slash != std::string::npos)
            sys::make_dir_if_missing(pod.run.fd(), place + "/" + name.substr(0, slash), 0755);
        const auto file = sys::open(pod.run.fd(), place + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
        sys::write_all(file.get(), content);
    }
}

} // namespace

Fd own_directory(const InRoot& root, const std::string& name)
{
    return sys::open_resolved(root.fd(), name, O_PATH | O_DIRECTORY,
                              RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

Fd make_own_directory(int parent, const std::string& name)
{
    const auto existing = sys::stat_if_exists(parent, name);
    if (existing && !S_ISDIR(existing->st_mode))
        sys::unlink(parent, name);
    if (!existing || !S_ISDIR(existing->st_mode))
        sys::make_dir(parent, name, 0755);
    return sys::open(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

void mount_root(Construction& pod)
{
    mount::attach(pod.sources.root.get(), sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY).get());
    pod.root = InRoot{std::move(pod.sources.root)};

    pod.run = InRoot{std::move(pod.sources.run)};
    mount::attach(pod.run.fd(), place_in_root(pod, "/run", O_DIRECTORY).get());
    for (const char* name : {"systemd", "systemd/journal", run_dir})
        sys::make_dir(pod.run.fd(), name, 0755);
    write_units(pod);

    const auto tmp = small_tmpfs("1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    mount::attach(tmp.get(), place_in_root(pod, "/tmp", O_DIRECTORY).get());
    mount::attach(pod.sources.journal.get(), place_in_root(pod, "/var/log/journal", O_DIRECTORY).get());

    write_run_file(pod, "machine-id", machine_id(pod.plan.id));
    mount::attach(clone_run_file(pod, "machine-id").get(), place_in_root(pod, "/etc/machine-id", 0).get());
}

void attach_app_roots(Construction& pod)
{
    pod.apps.reserve(pod.plan.apps.size());
    for (std::size_t index = 0; index < pod.plan.apps.size(); ++index) {
        auto& sources = pod.sources.apps[index];
        mount::attach(sources.root.get(), pod.root.make_dirs(pod.plan.apps[index].root).get());
        pod.apps.push_back({.plan = pod.plan.apps[index], .sources = sources, .root = InRoot{std::move(sources.root)}});
    }
}

void mount_cgroup(Construction& pod)
{
    sys::check([] { return ::unshare(CLONE_NEWCGROUP); }, "unsharing the cgroup namespace");
    const auto tree = mount::NewFilesystem{"cgroup2"}.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    mount::attach(tree.get(), sys::open(pod.sysfs.get(), "fs/cgroup", O_PATH | O_DIRECTORY | O_NOFOLLOW).get());
}

void leave_host_root(const Construction& pod)
{
    sys::check([&] { return ::fchdir(pod.root.fd()); }, "changing to the pod's root");
    // The old root ends up on top of the new one, at ".": see NOTES of pivot_root(2).
    sys::check([] { return ::syscall(SYS_pivot_root, ".", "."); }, "pivoting into the pod's root");
    mount::detach(".");
    sys::check([] { return ::chdir("/"); }, "changing to /");
}

std::string own_mountinfo(const Construction& pod)
{
    constexpr std::size_t limit = 16U << 20U;
    const auto file = sys::open_resolved(pod.proc.get(), "self/mountinfo", O_RDONLY,
                                         RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
    return sys::read_to_end(file.get(), limit);
}

std::vector<std::vector<std::string>> volume_places(const Construction& pod)
{
    std::vector<std::vector<std::string>> places;
    for (const auto& app : pod.apps)
        places.push_back(app.volume_paths);
    return places;
}

void write_run_file(const Construction& pod, const std::string& name, const std::string& content)
{
    const auto path = fmt::format("{}/{}", run_dir, name);
    sys::write_all(sys::open(pod.run.fd(), path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444).get(), content);
}

bool has_run_file(const Construction& pod, const std::string& name)
{
    return sys::stat_if_exists(pod.run.fd(), fmt::format("{}/{}", run_dir, name)).has_value();
}

Fd clone_run_file(const Construction& pod, const std::string& name)
{
    const auto path = fmt::format("{}/{}", run_dir, name);
    auto file = mount::clone(sys::open(pod.run.fd(), path, O_PATH | O_NOFOLLOW).get(), false);
    mount::set_attributes(file.get(), MOUNT_ATTR_RDONLY, 0, false);
    return file;
}

} // namespace rocket::stage1
