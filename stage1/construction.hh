// SPDX-License-Identifier: Apache-2.0
// A pod under construction, and the parts of it that the step table (setup.cc) calls one after the other. All of this
// runs in the cloned child, in the pod's own mount namespace, as root with umask 0: modes are exact. The pod's root is
// attached over the host's "/", which is still what absolute paths mean until the step that leaves it; so every place
// is held by a descriptor, and every path of an image is resolved inside its root (R3).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/sys/path.hh"
#include "stage1/plan.hh"
#include "stage1/pod_facts.hh"
#include "stage1/sources.hh"

namespace rocket::stage1
{

struct AppRoot {
    const AppPlan& plan;
    AppSources& sources;
    InRoot root;
    InRoot dev{Fd{}};
    std::vector<std::string> volume_paths = {}; // where its volumes really are, in the order of the plan
    std::vector<std::string> warnings = {};     // for the user, not fatal (VOL-11, VOL-12)
};

struct Construction {
    const Pod& pod;
    const Plan& plan;
    Sources& sources;
    const PodFacts& facts;
    InRoot root{Fd{}}; // the pod's
    InRoot run{Fd{}};
    Fd dev, shm, proc, sysfs;
    Fd app_proc, app_sysfs; // of the first app, with all restrictions; cloned for the others
    Fd empty;               // what covers directories; attached with its first use
    std::vector<AppRoot> apps = {};
    std::vector<AppSpec> specs = {};
};

// An existing directory of that name directly in `root`: neither a link nor a mount point.
Fd own_directory(const InRoot& root, const std::string& name);

// A real directory of that name in `parent`: made if missing, in place of anything that is not one.
Fd make_own_directory(int parent, const std::string& name);

// app/setup.cc: one app, when the pod's own trees are there
void prepare_app(Construction& pod, std::size_t index);
AppSpec resolve_app(const Construction& pod, std::size_t index);

// pod_root.cc
void mount_root(Construction& pod); // /, /run, /tmp, journal, machine id
void attach_app_roots(Construction& pod);
void mount_cgroup(Construction& pod);          // the namespace's own root, at /sys/fs/cgroup
void leave_host_root(const Construction& pod); // the host's mounts are gone afterwards
void write_run_file(const Construction& pod, const std::string& name, const std::string& content); // /run/rocket/NAME
bool has_run_file(const Construction& pod, const std::string& name);
Fd clone_run_file(const Construction& pod, const std::string& name); // read-only

std::string own_mountinfo(const Construction& pod); // by our own procfs, which no app has touched yet (R6)
std::vector<std::vector<std::string>> volume_places(const Construction& pod); // by app

// devices.cc
void make_device_nodes(Construction& pod, const Fd& place); // where the apps' are cloned from; /dev/shm, too
void make_devices(Construction& pod);                       // PID 1's /dev, with them
void mount_app_devices(const Construction& pod, AppRoot& app);

// kernel_trees.cc
void mount_kernel_trees(Construction& pod); // PID 1's /proc and /sys
void mount_app_kernel_trees(Construction& pod, AppRoot& app);
void restrict_kernel_trees(Construction& pod); // what PID 1 would have, as apps have it: without PID 1

// name_files.cc: /etc/hosts, resolv.conf, hostname and mtab
void write_name_files(const Construction& pod);                     // what will be mounted over
void prepare_name_files(const Construction& pod, AppRoot& app);     // before volumes: in the app's own layer
void mount_name_files(const Construction& pod, const AppRoot& app); // after volumes: what the user asked for wins

// systemd_dirs.cc
// The app's /run/systemd: what PID 1 mounts on when it starts the app, and the pod's journal, where /dev/log leads.
// Before volumes, in the app's own layer.
void make_systemd_directories(const Construction& pod, const AppRoot& app, bool app_notifies);
void link_to_journal(const AppRoot& app); // syslog(3) reaches the pod's journal

// init_users.cc
void introduce_users(Construction& pod); // of the apps to PID 1, when they are known
// Of one that joins a mutable pod. `run`: the pod's /run.
void introduce_user(int run, const AppSpec& spec);

// app_volumes.cc
struct VolumePlace {
    Fd place;
    std::string path; // as the kernel sees it, for comparing
};
// All places first, in the app's own layer, then the mounts: no link of the image can lead one volume into another.
std::vector<VolumePlace> find_volume_places(AppRoot& app);
void mount_volumes(AppRoot& app, const std::vector<VolumePlace>& places);

} // namespace rocket::stage1
