// SPDX-License-Identifier: Apache-2.0
// What a pod will look like from inside, as plain data: computed from the pod and the options without touching the
// system, carried out by launch(). Everything that can be refused by looking at the manifest is refused here:
// volumes over /proc, /sys or the standard devices, overlapping targets (VOL-13), two apps for one terminal.
// Errors: Kind::usage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/app_policy.hh"
#include "common/model/streams.hh"
#include "stage1/app/cri_log.hh"
#include "stage1/handed_sockets.hh"
#include "stage1/options.hh"
#include "stage1/pod.hh"

namespace rocket::stage1
{

// Where the data of a volume is. Volumes with the same source are opened once and shared by the apps (VOL-6).
struct VolumeSource {
    enum class Kind {
        host,  // an absolute path of the host, free of symbolic links (VOL-14, VOL-15)
        empty, // a directory in the pod directory, made with this mode and owner (VOL-7)
    };
    std::string name; // for messages
    Kind kind = Kind::empty;
    std::string path; // host: absolute; empty: relative to the pod directory
    bool recursive = true;
    std::uint32_t mode = 0755, uid = 0, gid = 0; // empty only
    bool operator==(const VolumeSource&) const = default;
};

struct VolumeMount {
    std::size_t source = 0; // index in Plan::sources
    std::string target;     // in the app, cleaned
    bool read_only = false; // VOL-9
    bool of_pod = false;    // its data is in the pod directory
    bool in_dev = false;    // the target is a leaf of /dev: only a device may go there
    bool operator==(const VolumeMount&) const = default;
};

struct AppPlan {
    std::string name;
    std::string root;                // in the pod: /run/host/app-NAME
    std::vector<std::string> trees;  // overlay: the image's trees on the host, absolute, the topmost first
    std::string upper, work, rootfs; // relative to the pod directory; rootfs instead of the other two without overlay
    bool read_only = false;          // ACE-14
    model::Streams streams;
    model::AppPolicy policy;
    std::optional<CriLogPlace> log_file; // for a container runtime interface
    std::vector<VolumeMount> volumes;
};

struct Plan {
    model::PodId id;
    std::string hostname;
    std::string stage1_rootfs; // on the host, absolute
    bool overlay = true;
    std::optional<model::IdRange> private_users;
    bool in_user_namespace = false; // we are its root, not the host's: the host's devices serve
    bool new_network = true;        // a network namespace with a loopback of its own
    bool new_ipc = true;
    bool new_uts = true;
    bool debug = false;
    bool is_mutable = false; // apps come and go while it runs
    bool mask_paths = true;  // /proc and /sys restricted as internals 6.10 (ACE-11)
    bool restrict_capabilities = true;
    bool restrict_seccomp = true;
    bool planned_network = false; // net/plan.json says which; its plugins and its names may fill the two below
    NameFile resolv_conf = NameFile::image;
    NameFile hosts = NameFile::image;
    std::vector<VolumeSource> sources;
    std::vector<AppPlan> apps; // in the order of the pod manifest
    std::vector<std::string> init_argv;
    std::vector<std::string> init_env; // exact: nothing is inherited
    unsigned init_sockets = 0;         // it inherits descriptors 3 and following: handed_sockets.hh
    UnitFiles init_units;              // what it reads beside the stage1 image's own units
};

Plan make_plan(const Pod& pod, const RunOptions& options);

} // namespace rocket::stage1
