// SPDX-License-Identifier: Apache-2.0
// /proc and /sys of the apps, restricted (internals 6.10, ACE-11): made once, and cloned with all that is mounted on
// them. Rules name paths of trees we have just made ourselves (R6). PID 1 has trees without those mounts: it could
// remove them anyway, and has to know of each.
#include "stage1/kernel_trees.hh"

#include <linux/openat2.h>

#include <span>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"
#include "stage1/pod_limits.hh"

namespace rocket::stage1
{

namespace
{

constexpr auto inert = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

enum class Rule { read_only, hidden };

struct Restriction {
    const char* path;
    Rule rule;
};

// What a kernel does not have is skipped.
constexpr Restriction init_proc_restrictions[] = {{"sys", Rule::read_only}}; // not namespaced for the most part
constexpr Restriction proc_restrictions[] = {
    {"sysrq-trigger", Rule::read_only},
    {"bus", Rule::read_only},
    {"fs", Rule::read_only},
    {"irq", Rule::read_only},
    {"acpi", Rule::hidden},
    {"asound", Rule::hidden},
    {"config.gz", Rule::hidden},
    {"interrupts", Rule::hidden}, // tells key strokes and neighbours' load
    {"kallsyms", Rule::hidden},
    {"kcore", Rule::hidden},
    {"keys", Rule::hidden}, // not namespaced without a user namespace
    {"kmem", Rule::hidden},
    {"latency_stats", Rule::hidden},
    {"mem", Rule::hidden},
    {"sched_debug", Rule::hidden},
    {"scsi", Rule::hidden},
    {"timer_list", Rule::hidden},
    {"timer_stats", Rule::hidden},
};

// All of /sys is read-only anyway.
constexpr Restriction sys_restrictions[] = {
    {"fs", Rule::hidden},           {"firmware", Rule::hidden},        {"hypervisor", Rule::hidden},
    {"kernel/debug", Rule::hidden}, {"kernel/security", Rule::hidden}, {"kernel/tracing", Rule::hidden},
    {"module", Rule::hidden},       {"power", Rule::hidden},           {"devices/virtual/powercap", Rule::hidden},
};

void make_read_only(int place)
{
    const auto tree = mount::clone(place, false);
    mount::set_attributes(tree.get(), MOUNT_ATTR_RDONLY, 0, false);
    mount::attach(tree.get(), place);
}

void hide(Construction& pod, int place)
{
    if (!S_ISDIR(sys::stat(place).st_mode)) {
        // Reads as empty, and what is written vanishes.
        const auto null = mount::clone(sys::open(pod.dev.get(), "null", O_PATH | O_NOFOLLOW).get(), false);
        mount::set_attributes(null.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, false);
        mount::attach(null.get(), place);
    } else if (pod.empty) {
        mount::attach(mount::clone(pod.empty.get(), false).get(), place);
    } else {
        pod.empty = mount::NewFilesystem{"tmpfs"}
                        .set("mode", "0555")
                        .set("size", "4k")
                        .create(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        mount::attach(pod.empty.get(), place);
    }
}

// Whether /sys is a copy of the host's, with what is mounted there.
bool is_of_host(const Construction& pod)
{
    return pod.plan.in_user_namespace && !pod.plan.new_network;
}

// Only who owns the network namespace gets a new one: it shows the network.
Fd clone_sysfs(bool read_only)
{
    auto tree = mount::clone(sys::open(AT_FDCWD, "/sys", O_PATH | O_DIRECTORY).get(), true);
    mount::set_propagation(tree.get(), MS_PRIVATE, true);
    mount::set_attributes(tree.get(), inert | (read_only ? MOUNT_ATTR_RDONLY : 0), 0, true);
    return tree;
}

void restrict(Construction& pod, int tree, std::span<const Restriction> restrictions)
{
    if (!pod.plan.mask_paths)
        return;
    const std::uint64_t one_mount = is_of_host(pod) ? 0 : RESOLVE_NO_XDEV;
    for (const auto& [path, rule] : restrictions) {
        const auto place = sys::open_resolved_if_exists(
            tree, path, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | one_mount);
        if (!place)
            continue;
        if (rule == Rule::hidden)
            hide(pod, place->get());
        else
            make_read_only(place->get());
    }
}

// While they can be written (CTL-1): in the pod's namespaces, and before anything runs there.
void set_kernel_parameters(const Construction& pod)
{
    const auto& isolators = pod.pod.manifest.isolators;
    for (const auto& parameter : kernel_parameters(isolators, pod.plan.new_network, pod.plan.new_ipc)) {
        const auto& name = parameter.first;
        const auto& value = parameter.second;
        with_context(fmt::format("setting kernel parameter {} to {}", text::quoted(name), text::quoted(value)), [&] {
            const auto file = sys::open_resolved(pod.proc.get(), "sys/" + name, O_WRONLY,
                                                 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
            sys::write_all(file.get(), value);
        });
    }
}

} // namespace

Fd new_proc()
{
    return mount::NewFilesystem{"proc"}.create(inert);
}

Fd new_sysfs(bool read_only)
{
    return mount::NewFilesystem{"sysfs"}.create(inert | (read_only ? MOUNT_ATTR_RDONLY : 0));
}

void mount_kernel_trees(Construction& pod)
{
    if (!pod.proc) { // else they came from outside
        pod.proc = new_proc();
        pod.sysfs = is_of_host(pod) ? clone_sysfs(pod.plan.mask_paths) : new_sysfs(pod.plan.mask_paths);
    }
    mount::attach(pod.proc.get(), own_directory(pod.root, "proc").get());
    set_kernel_parameters(pod);
    restrict(pod, pod.proc.get(), init_proc_restrictions);
    mount::attach(pod.sysfs.get(), own_directory(pod.root, "sys").get());
}

void mount_app_kernel_trees(Construction& pod, AppRoot& app)
{
    const bool first = !pod.app_proc;
    auto proc = mount::clone((first ? pod.proc : pod.app_proc).get(), true);
    const bool whole = !first || is_of_host(pod); // of ours, PID 1 has the cgroups on its own
    auto sysfs = mount::clone((first ? pod.sysfs : pod.app_sysfs).get(), whole);
    mount::attach(proc.get(), own_directory(app.root, "proc").get());
    mount::attach(sysfs.get(), own_directory(app.root, "sys").get());
    if (!first)
        return;
    restrict(pod, proc.get(), proc_restrictions);
    restrict(pod, sysfs.get(), sys_restrictions);
    pod.app_proc = std::move(proc);
    pod.app_sysfs = std::move(sysfs);
}

void restrict_kernel_trees(Construction& pod)
{
    restrict(pod, pod.proc.get(), proc_restrictions);
    restrict(pod, pod.sysfs.get(), sys_restrictions);
}

} // namespace rocket::stage1
