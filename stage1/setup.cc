// SPDX-License-Identifier: Apache-2.0
#include "stage1/setup.hh"

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/audit.hh"
#include "stage1/init.hh"
#include "stage1/seccomp.hh"
#include "stage1/steps.hh"

namespace rocket::stage1
{

namespace
{

void prepare_apps(Construction& pod)
{
    write_name_files(pod);
    for (std::size_t index = 0; index < pod.apps.size(); ++index)
        prepare_app(pod, index);
}

void check_all_mounts(Construction& pod)
{
    check_mounts(mount_rules(pod.plan, volume_places(pod)), own_mountinfo(pod));
}

constexpr Step before_the_cgroup[] = {
    {"making the mounts private", make_mounts_private},
    {"setting the host name", set_host_name},
    {"starting the loopback interface", start_loopback},
    {"mounting the pod's root", mount_root},
    {"mounting the apps' roots", attach_app_roots},
    {"making devices", make_devices}, // before /proc and /sys: null covers files there
    {"mounting /proc and /sys", mount_kernel_trees},
    {"preparing the apps", prepare_apps},
    {"looking up the apps", resolve_apps},
    {"introducing the apps' users to PID 1", introduce_users},
};

constexpr Step after_the_cgroup[] = {
    {"mounting the cgroup tree", mount_cgroup}, // after all clones of /sys were made: apps do not get it
    {"leaving the host's root", [](Construction& pod) { leave_host_root(pod); }},
    {"checking the mounts", check_all_mounts}, // when all are there, and those of the host are not
};

void set_up(const SetUp& what)
{
    Construction pod{.pod = what.pod, .plan = what.plan, .sources = what.sources, .facts = what.facts};
    if (what.plan.private_users) {
        auto trees = what.parent.wait_for_go();
        pod.proc = std::move(trees.at(0));
        pod.sysfs = std::move(trees.at(1));
    }
    run(before_the_cgroup, pod);
    what.parent.wait_for_go();
    run(after_the_cgroup, pod);
    std::uint64_t capabilities = 0;
    for (const auto& spec : pod.specs) {
        what.parent.send(spec);
        capabilities |= spec.bounding_set;
    }
    // Who will join a mutable pod is not known yet: it is as tight as one with an app under the default policy.
    if (needs_pod_filter(pod.specs) || (pod.plan.is_mutable && pod.plan.restrict_seccomp))
        install_filter(pod_filter()); // inherited by PID 1 and the apps
    become_init(what.plan, pod.plan.is_mutable ? UINT64_MAX : capabilities, what.log);
}

} // namespace

void set_up_and_become_init(const SetUp& what) noexcept
{
    run_child(what.parent, [&] { set_up(what); });
}

} // namespace rocket::stage1
