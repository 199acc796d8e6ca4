// SPDX-License-Identifier: Apache-2.0
// What a pod takes from the host, opened by the parent before anything is started, so that whatever is missing is an
// error of the parent and nothing on the host is looked up by name from inside: detached mounts that vanish with their
// descriptors unless the child attaches them. No path of an image is followed here: in an app's layer of its own only
// constant names are made, by descriptor (R4). Errors: Kind::not_found, usage (a volume that cannot be one), system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hh"
#include "stage1/app_spec.hh"
#include "stage1/plan.hh"
#include "stage1/pod.hh"
#include "stage1/pod_facts.hh"
#include "stage1/user_namespace.hh"

namespace rocket::stage1
{

// A devpts instance of its own, detached, whose terminal 0 exists already.
struct Terminal {
    Fd filesystem;
    Fd master;
};

struct VolumeTree {
    Fd tree;
    bool directory = false;
};

struct AppSources {
    Fd root;                         // overlay, or a clone of the copy
    std::vector<VolumeTree> volumes; // of AppPlan::volumes, in the same order
    std::vector<DeviceRule> devices; // that the volumes bring (ACE-13)
    std::optional<Terminal> terminal;
};

struct Sources {
    std::optional<PrivateUsers> users; // all files below, but the stage1 image's, are mapped into it
    Fd root;                           // the stage1 image, read-only
    Fd run;                            // a new tmpfs, empty
    Fd dev;                            // a new tmpfs with the standard devices
    Fd journal;                        // the pod directory's, for /var/log/journal
    std::vector<AppSources> apps;
    std::optional<Terminal> console;        // debug: of PID 1
    std::optional<std::string> resolv_conf; // content, if the user asked for one
    std::optional<std::string> hosts;
};

Sources open_sources(const Pod& pod, const Plan& plan);
Sources open_app_sources(const Pod& pod, const Plan& plan); // all but `root` and `journal`: for a pod without PID 1
std::vector<AppSources> open_apps(const Pod& pod, const Plan& plan, const PrivateUsers* users); // Sources::apps alone
Terminal make_terminal(const PrivateUsers* users); // null: without a user namespace

// What the plan and its sources add to what is known about the host.
PodFacts with_sources(PodFacts facts, const Plan& plan, const Sources& sources);

// PID 1's /dev: device nodes cannot be made in a user namespace. `borrowed`: we are in one, and so are not made here.
Fd new_dev(bool borrowed, const PrivateUsers* users);

Fd new_devpts(); // detached, an instance of its own (ACE-8)

} // namespace rocket::stage1
