// SPDX-License-Identifier: Apache-2.0
// Every path in the data directory and in a pod directory. Nobody else joins these strings.
// Layout gives absolute paths below DATA; namespace pod_dir names relative to a pod directory, to be used with its fd.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/names.hh"

namespace rocket::model
{

// The directory a pod is in; with the lock on the pod directory this is its state (cli 6.2).
enum class PodStage { embryo, prepare, prepared, run, exited_garbage, garbage };

inline constexpr std::array pod_stages{PodStage::embryo, PodStage::prepare,        PodStage::prepared,
                                       PodStage::run,    PodStage::exited_garbage, PodStage::garbage};
std::string_view directory_name(PodStage stage) noexcept; // "exited-garbage"
std::optional<PodStage> stage_of_directory(std::string_view name) noexcept;

class Layout
{
public:
    explicit Layout(std::string data) : data_{std::move(data)} {} // DATA, absolute

    const std::string& data() const noexcept { return data_; }

    std::string cas() const { return data_ + "/cas"; }
    std::string images() const { return data_ + "/cas/image"; }
    std::string image(const ImageId& id) const { return images() + "/" + id.key(); }
    std::string trees() const { return data_ + "/cas/tree"; }
    // `key` is that of an image id or of a layer's digest.
    std::string tree(const std::string& key) const { return trees() + "/" + key; }
    std::string tree(const ImageId& id) const { return tree(id.key()); }
    std::string tree_rootfs(const std::string& key) const { return tree(key) + "/rootfs"; }
    std::string tree_rootfs(const ImageId& id) const { return tree_rootfs(id.key()); }
    std::string layers() const { return data_ + "/cas/layer"; }
    std::string layer(const std::string& key) const { return layers() + "/" + key; } // "sha256-..." of its tar
    std::string database_dir() const { return data_ + "/cas/db"; }
    std::string database() const { return data_ + "/cas/db/index.sqlite"; }
    std::string store_tmp() const { return data_ + "/cas/tmp"; }
    std::string members() const { return data_ + "/cas/members"; } // of the group's members: root reads nothing there

    std::string garbage() const { return data_ + "/garbage"; } // renamed away, to be deleted (R15)
    std::string locks() const { return data_ + "/locks"; }
    std::string store_lock() const { return data_ + "/locks/store"; }
    std::string image_lock(const ImageId& id) const { return data_ + "/locks/image-" + id.key(); }
    std::string layer_lock(const std::string& key) const { return data_ + "/locks/layer-" + key; }
    std::string prepare_lock() const { return data_ + "/locks/prepare"; }
    std::string id_range_lock() const { return data_ + "/locks/id-ranges"; } // held while a range is chosen and written

    std::string deployments() const { return data_ + "/deployments"; } // stage0/update/deployment.hh

    std::string pods() const { return data_ + "/pods"; }
    std::string pods(PodStage stage) const { return pods() + "/" + std::string{directory_name(stage)}; }
    std::string pod(PodStage stage, const PodId& id) const { return pods(stage) + "/" + id.str(); }

private:
    std::string data_;
};

// Files of an image in the store, relative to Layout::image().
namespace image_dir
{
inline constexpr const char* archive = "archive";         // as received
inline constexpr const char* manifest = "manifest";       // bytes as in the archive
inline constexpr const char* signature = "signature.asc"; // if it was verified
inline constexpr const char* record = "record.json";
inline constexpr const char* used = "used"; // its mtime = last used
// Of an image made of layers, instead of the archive: its documents, as received.
inline constexpr const char* oci_config = "oci-config.json";
inline constexpr const char* oci_manifest = "oci-manifest.json"; // not there for docker-archive
inline constexpr const char* pending = "pending.json";           // only of one that root did not fetch
} // namespace image_dir

// Files of a layer in the store, relative to Layout::layer().
namespace layer_dir
{
inline constexpr const char* archive = "archive"; // as received
inline constexpr const char* seams = "seams";     // stage0/unpack/seams.hh
inline constexpr const char* record = "record.json";
} // namespace layer_dir

// Relative to Layout::tree().
namespace tree_dir
{
inline constexpr const char* rootfs = "rootfs";
inline constexpr const char* digest = "digest"; // written last before the rename
} // namespace tree_dir

// Relative to Layout::pod().
namespace pod_dir
{
inline constexpr const char* manifest = "pod";           // reified pod manifest
inline constexpr const char* created = "pod-created";    // its mtime = creation
inline constexpr const char* runtime = "runtime.json";   // model/runtime.hh
inline constexpr const char* id_range = "private-users"; // model/id_range.hh; only with a user namespace
inline constexpr const char* stage1 = "stage1";
inline constexpr const char* stage1_manifest = "stage1/manifest";
inline constexpr const char* apps = "apps";
inline constexpr const char* volumes = "volumes";                     // data of empty volumes
inline constexpr const char* journal = "journal";                     // /var/log/journal in the pod
inline constexpr const char* resolv_conf = "resolv.conf";             // for --dns-conf-mode=resolv=stage0
inline constexpr const char* hosts = "hosts";                         // for --dns-conf-mode=...,hosts=stage0
inline constexpr const char* network = "net";                         // locked while plugins run
inline constexpr const char* network_plan = "net/plan.json";          // model/network.hh
inline constexpr const char* network_state = "net/state.json";        // likewise
inline constexpr const char* gc_marked = "gc-marked";                 // its mtime = when gc saw that the pod had ended
inline constexpr const char* subcgroup = "subcgroup";                 // relative to the mount of cgroup2
inline constexpr const char* ppid = "ppid";                           // of the supervisor; its mtime = start
inline constexpr const char* pid1 = "pid1";                           // of the pod's init, and its start time
inline constexpr const char* supervisor_status = "supervisor-status"; // "ready"
inline constexpr const char* status = "status";
inline constexpr const char* exit_record = "exit.json";
inline constexpr const char* attach_socket = "attach";   // where the supervisor serves clients of `attach`
inline constexpr const char* control_socket = "control"; // where the supervisor takes orders about apps
inline constexpr const char* change = "change";          // the app being added or removed; locked by whoever does
inline constexpr const char* reserve = ".reserve";       // room for the two above, given up when the disk is full

std::string app(const AppName& name);                                // apps/NAME
std::string app_manifest(const AppName& name);                       // apps/NAME/manifest: the image manifest, bytes
std::string app_upper(const AppName& name);                          // apps/NAME/upper
std::string app_work(const AppName& name);                           // apps/NAME/work
std::string app_rootfs(const AppName& name);                         // apps/NAME/rootfs: the copy, without overlay
std::string app_spec(const AppName& name);                           // apps/NAME/spec.json: resolved by stage1
std::string volume(const VolumeName& name);                          // volumes/NAME
std::string volume(const AppName& app_name, const VolumeName& name); // volumes/APP.NAME: of one app only (VOL-7)
std::string app_status(const AppName& name);                         // status/NAME: the plain number
std::string app_result(const AppName& name);                         // status/NAME.json
// Of apps of mutable pods: their times are those of the events. No name has a dot in it.
std::string app_created(const AppName& name); // status/NAME.created
std::string app_started(const AppName& name); // status/NAME.started
} // namespace pod_dir

// Of the host, whatever the data directory: what is shared by all pods, and gone after a reboot.
namespace host_run
{
inline constexpr const char* ports = "/run/rocket/ports";   // UUID: what that pod publishes
inline constexpr const char* names = "/run/rocket/names";   // NETWORK/UUID: under which name, at which addresses
inline constexpr const char* leases = "/run/rocket/leases"; // of addresses, by the plugin host-local
inline constexpr const char* local_routes =
    "/run/rocket/localroutes";                                  // INTERFACE/UUID: who needs 127.0.0.1 routed there
inline constexpr const char* firewall = "/run/rocket/firewall"; // empty; locked by whoever changes rules
} // namespace host_run

// Inside the pod.
namespace in_pod
{
// What a container manager brings is below /run/host: systemd makes no units of mounts there, and each would cost it
// a tenth of a millisecond at its start and a line in `systemctl list-units`.
inline constexpr const char* apps = "/run/host";
std::string app_rootfs(std::string_view name); // /run/host/app-NAME
} // namespace in_pod

} // namespace rocket::model
