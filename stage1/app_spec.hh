// SPDX-License-Identifier: Apache-2.0
// AppSpec: everything needed to start an app, or to enter it later: ids, command lines found in the app's root,
// environment, capabilities, seccomp policy, limits. It is resolved once, inside the pod's mount namespace
// (resolve.hh), and kept in the root-owned apps/<app>/spec.json, so that `run`, event handlers and `enter` are confined
// alike (R8) and nothing from the image is read a second time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::stage1
{

struct Command {
    std::string path;              // what is executed: absolute, inside the app's root
    std::vector<std::string> argv; // argv[0] as the manifest spells it, as execvp(3) does (APP-6)
    bool operator==(const Command&) const = default;
};

struct EnvVar {
    std::string name;
    std::string value;
    bool operator==(const EnvVar&) const = default;
};

struct SeccompPolicy {
    enum class Mode { off, allow, deny };
    Mode mode = Mode::off;
    std::vector<std::string> syscalls; // allowed or refused; sorted, no duplicates. Allow of none refuses all
    std::optional<int> error;          // errno of a refused call; nullopt: SIGSYS kills the process (SEC-6)
    bool is_default = false;           // Rocket's own policy: see seccomp.hh for what comes on top of the list
    bool operator==(const SeccompPolicy&) const = default;
};

struct SecurityLabels { // of the kernel's security modules; empty: none of the app's own
    std::string apparmor_profile;
    std::string selinux_context;
    bool operator==(const SecurityLabels&) const = default;
};

struct DeviceRule { // a device node brought by a volume (ACE-13)
    bool block = false;
    unsigned major = 0;
    unsigned minor = 0;
    bool writable = false;
    bool operator==(const DeviceRule&) const = default;
};

struct OpenFiles { // of a process (getrlimit(2), RLIMIT_NOFILE)
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
    bool operator==(const OpenFiles&) const = default;
};

struct Resources {                                // unset: no limit of the app's own
    std::optional<std::uint64_t> memory_max;      // bytes
    std::optional<std::uint64_t> memory_low;      // bytes
    std::optional<std::uint64_t> cpu_quota_usec;  // CPU time per second of real time
    std::optional<std::uint64_t> cpu_weight;      // 1..10000
    std::optional<std::uint64_t> block_bandwidth; // bytes per second, read as well as written, on each of the disks
    std::optional<std::uint64_t> block_iops;      // operations per second
    std::vector<std::string> disks;               // "8:0", for the two above
    std::optional<OpenFiles> open_files;          // unset: as the pod's PID 1 has it
    std::uint64_t tasks_max = 4096;               // R16
    bool operator==(const Resources&) const = default;
};

struct AppSpec {
    std::string name; // an AC Name: safe in unit names and paths
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t first_id = 0; // of the host's ids that are the pod's own: there the user is first_id + uid
    std::vector<std::uint32_t> supplementary_gids; // exactly these (USR-7)
    Command main;
    std::optional<Command> pre_start;
    std::optional<Command> post_stop;
    std::optional<Command> health_check;
    std::optional<Command> startup_check;
    std::string exec_error; // not empty: why main or pre_start cannot be executed. Do not start the app: status 203
    std::string working_directory = "/";
    std::vector<EnvVar> environment; // exact: PID 1 adds nothing
    std::uint64_t bounding_set = 0;  // bit n = capability n
    std::uint64_t ambient_set = 0;   // of a user other than root: what was asked for by name, and is theirs after exec
    bool no_new_privileges = false;
    SeccompPolicy seccomp;
    SecurityLabels labels;
    Resources resources;
    std::optional<int> oom_score_adjust;
    bool restrict_devices = true;
    std::vector<DeviceRule> devices;
    bool notifies = false;                      // says READY=1 itself (appc.io/executor/supports-systemd-notify)
    std::optional<std::uint64_t> watchdog_usec; // it has to say WATCHDOG=1 at least this often
    std::vector<std::string> reports;           // isolators ignored or changed, for the user (ISO-5)
    bool operator==(const AppSpec&) const = default;
};

// The unit that runs the app in the pod: "app-NAME.service".
std::string unit_name(std::string_view app);

std::string to_json(const AppSpec& spec);
// Throws Error (corrupt) for anything that to_json() would not have written.
AppSpec app_spec_from_json(std::string_view json);

// apps/NAME/spec.json in the pod directory, for root only: environments hold secrets.
void save(const AppSpec& spec, int pod_dir);

} // namespace rocket::stage1
