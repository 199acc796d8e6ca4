// SPDX-License-Identifier: Apache-2.0
#include "stage1/unit_properties.hh"

#include <csignal>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "common/model/layout.hh"
#include "stage1/seccomp.hh"
#include "stage1/seccomp_sets.hh"

namespace rocket::stage1
{

namespace
{

using Properties = std::vector<UnitProperty>;

constexpr std::uint64_t forever = UINT64_MAX;

// What PID 1 puts into an environment, if nobody stops it (systemd.exec(5), "Environment Variables in Spawned
// Processes"). NOTIFY_SOCKET and LISTEN_* are not here: they appear only where they are asked for (ENV-4).
constexpr std::array variables_of_systemd = {"CACHE_DIRECTORY",
                                             "CONFIGURATION_DIRECTORY",
                                             "CREDENTIALS_DIRECTORY",
                                             "EXIT_CODE",
                                             "EXIT_STATUS",
                                             "HOME",
                                             "INVOCATION_ID",
                                             "JOURNAL_STREAM",
                                             "LANG",
                                             "LOGNAME",
                                             "LOGS_DIRECTORY",
                                             "LOG_NAMESPACE",
                                             "MAINPID",
                                             "MANAGERPID",
                                             "MEMORY_PRESSURE_WATCH",
                                             "MEMORY_PRESSURE_WRITE",
                                             "MONITOR_EXIT_CODE",
                                             "MONITOR_EXIT_STATUS",
                                             "MONITOR_INVOCATION_ID",
                                             "MONITOR_SERVICE_RESULT",
                                             "MONITOR_UNIT",
                                             "PATH",
                                             "PIDFILE",
                                             "REMOTE_ADDR",
                                             "REMOTE_PORT",
                                             "RUNTIME_DIRECTORY",
                                             "SERVICE_RESULT",
                                             "SHELL",
                                             "STATE_DIRECTORY",
                                             "SYSTEMD_EXEC_PID",
                                             "TERM",
                                             "TRIGGER_PATH",
                                             "TRIGGER_TIMER_MONOTONIC_USEC",
                                             "TRIGGER_TIMER_REALTIME_USEC",
                                             "TRIGGER_UNIT",
                                             "TZ",
                                             "USER",
                                             "WATCHDOG_PID",
                                             "WATCHDOG_USEC",
                                             "XDG_RUNTIME_DIR",
                                             "XDG_SEAT",
                                             "XDG_SESSION_CLASS",
                                             "XDG_SESSION_ID",
                                             "XDG_SESSION_TYPE",
                                             "XDG_VTNR"};

// The helper looks at these, and takes them away.
bool tells_of_main(std::string_view variable)
{
    return variable == "EXIT_CODE" || variable == "EXIT_STATUS" || variable == "SERVICE_RESULT";
}

bool sets(const AppSpec& spec, std::string_view variable)
{
    return std::any_of(spec.environment.begin(), spec.environment.end(),
                       [&](const EnvVar& var) { return var.name == variable; });
}

// stage2-helpers/exec_app.cc, for what no property can say.
constexpr const char* helper_in_pod = "/rocket/exec-app";
constexpr const char* helper_in_app = "/dev/.rocket/exec-app";

// What PID 1 takes for a variable's name. appc allows '.' and '-' in it, too (APP-16).
bool is_plain(std::string_view variable)
{
    return std::all_of(variable.begin(), variable.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool has_odd_variables(const AppSpec& spec)
{
    return std::any_of(spec.environment.begin(), spec.environment.end(),
                       [](const EnvVar& var) { return !is_plain(var.name); });
}

// PID 1 runs post-stop commands also after a failed pre-start command; appc does not (APP-10).
bool needs_condition(const AppSpec& spec)
{
    return spec.pre_start && spec.post_stop;
}

bool has_labels(const AppSpec& spec)
{
    return spec.labels != SecurityLabels{};
}

bool needs_helper(const AppSpec& spec)
{
    return has_odd_variables(spec) || has_labels(spec) || needs_condition(spec);
}

std::vector<ExecLine> exec_line(const AppSpec& spec, const Command& command, std::vector<std::string> flags,
                                bool only_after_main = false)
{
    flags.emplace_back("no-env-expand"); // neither $VAR nor %n mean anything in an argument (APP-2)
    if (!has_odd_variables(spec) && !has_labels(spec) && !only_after_main)
        return {{command.path, command.argv, std::move(flags)}};
    std::vector<std::string> argv = {"exec-app"};
    if (only_after_main)
        argv.emplace_back("--only-after-main");
    if (!spec.labels.apparmor_profile.empty())
        argv.push_back("--apparmor-profile=" + spec.labels.apparmor_profile);
    if (!spec.labels.selinux_context.empty())
        argv.push_back("--selinux-context=" + spec.labels.selinux_context);
    for (const auto& var : spec.environment)
        if (!is_plain(var.name))
            argv.push_back(var.name + '=' + var.value);
    argv.insert(argv.end(), {"--", command.path});
    argv.insert(argv.end(), command.argv.begin(), command.argv.end());
    return {{helper_in_app, std::move(argv), std::move(flags)}};
}

void add_service(Properties& add, const AppSpec& spec, const model::AppPolicy& policy)
{
    add.push_back({"DefaultDependencies", false});
    // Type=exec has the child write a byte when all is prepared, with the filter already in force. An app that comes
    // again must not keep the pod from being ready: of one that ends at once, PID 1 may see the end before the byte,
    // and its job to start would then last until the restart.
    const bool tells_of_exec = allows(spec.seccomp, "write") && !policy.restarts();
    const char* const type = tells_of_exec ? "exec" : "simple";
    add.push_back({"Type", std::string{type}}); // whether it is ready, it tells us, not PID 1
    add.push_back({"Slice", std::string{"system.slice"}});
    add.push_back({"SyslogIdentifier", spec.name});
    if (spec.pre_start)
        add.push_back({"ExecStartPreEx", exec_line(spec, *spec.pre_start, {})});
    add.push_back({"ExecStartEx", exec_line(spec, spec.main, {})});
    if (spec.post_stop) // its failure changes nothing (APP-11)
        add.push_back({"ExecStopPostEx", exec_line(spec, *spec.post_stop, {"ignore-failure"}, needs_condition(spec))});
    add.push_back({"TimeoutStartUSec", forever});
    add.push_back({"KillMode", std::string{"mixed"}}); // SIGTERM to the main process only (ACE-3), SIGKILL to all
    add.push_back({"IgnoreSIGPIPE", false});
}

void add_environment(Properties& add, const AppSpec& spec)
{
    std::vector<std::string> assignments;
    for (const auto& var : spec.environment)
        if (is_plain(var.name))
            assignments.push_back(var.name + '=' + var.value);
    if (spec.notifies)
        assignments.push_back(std::string{"NOTIFY_SOCKET="} + notify_socket_in_app);
    if (spec.watchdog_usec)
        assignments.push_back(fmt::format("WATCHDOG_USEC={}", *spec.watchdog_usec));
    add.push_back({"Environment", std::move(assignments)});

    std::vector<std::string> unset; // applied last of all by PID 1, so it must not name what the app sets
    for (const char* variable : variables_of_systemd)
        if (!sets(spec, variable) && !(spec.watchdog_usec && variable == std::string_view{"WATCHDOG_USEC"}) &&
            !(needs_condition(spec) && tells_of_main(variable)))
            unset.emplace_back(variable);
    add.push_back({"UnsetEnvironment", std::move(unset)});
}

void add_root(Properties& add, const AppSpec& spec)
{
    add.push_back({"RootDirectory", app_root_in_pod(spec.name)});
    add.push_back({"MountAPIVFS", false}); // it has ours
    add.push_back({"PrivateMounts", true});
    add.push_back({"WorkingDirectory", spec.working_directory});
    if (needs_helper(spec)) // in /dev, which is the app's own tmpfs
        add.push_back(
            {"BindReadOnlyPaths", std::vector<BindMount>{{.source = helper_in_pod, .target = helper_in_app}}});
    if (spec.notifies) // in /run, where systemd_dirs.cc has made a place for it
        add.push_back({"BindPaths", std::vector<BindMount>{
                                        {.source = notify_socket_in_pod(spec.name), .target = notify_socket_in_app}}});
}

// Numeric, and always both. PID 1 looks numbers up all the same: setup.cc has an entry for each in the pod's /etc.
void add_identity(Properties& add, const AppSpec& spec)
{
    std::vector<std::string> groups;
    for (const auto gid : spec.supplementary_gids)
        groups.push_back(fmt::to_string(gid));
    add.push_back({"User", fmt::to_string(spec.uid)});
    add.push_back({"Group", fmt::to_string(spec.gid)});
    add.push_back({"SupplementaryGroups", std::move(groups)});
    add.push_back({"CapabilityBoundingSet", spec.bounding_set});
    add.push_back({"AmbientCapabilities", spec.ambient_set});
    add.push_back({"NoNewPrivileges", spec.no_new_privileges});
}

void add_allow_list(Properties& add, const SeccompPolicy& policy)
{
    add.push_back({"SystemCallFilter", NameFilter{true, policy.syscalls}});
    // PID 1 adds its @default to every allow list; what the manifest did not ask for is taken away again (SEC-5).
    std::vector<std::string> unwanted;
    const auto added = named_seccomp_set("@systemd/default-whitelist");
    for (const auto& name : *added)
        if (is_known_syscall(name) && !std::binary_search(policy.syscalls.begin(), policy.syscalls.end(), name))
            unwanted.push_back(name);
    add.push_back({"SystemCallFilter", NameFilter{false, std::move(unwanted)}});
}

void add_deny_list(Properties& add, const SeccompPolicy& policy)
{
    std::vector<std::string> names;
    for (const auto& name : policy.syscalls)
        names.push_back(policy.is_default && is_better_unimplemented(name) ? name + ":ENOSYS" : name);
    if (!names.empty()) // an empty list would mean "no filter"
        add.push_back({"SystemCallFilter", NameFilter{false, std::move(names)}});
}

void add_seccomp(Properties& add, const AppSpec& spec)
{
    const auto& policy = spec.seccomp;
    if (policy.mode == SeccompPolicy::Mode::off)
        return;
    // Without it PID 1 compiles every list three times, and other ABIs would get round the filter (SEC-12).
    add.push_back({"SystemCallArchitectures", std::vector<std::string>{"native"}});
    if (policy.mode == SeccompPolicy::Mode::allow)
        add_allow_list(add, policy);
    else
        add_deny_list(add, policy);
    if (policy.error)
        add.push_back({"SystemCallErrorNumber", std::int32_t{*policy.error}});
    if (!policy.is_default)
        return;
    add.push_back({"RestrictAddressFamilies", NameFilter{true, default_address_families()}});
    if (restricts_namespaces(policy, spec.bounding_set))
        add.push_back({"RestrictNamespaces", std::uint64_t{0}}); // the ones allowed: none
    add.push_back({"LockPersonality", true});
}

void add_resources(Properties& add, const AppSpec& spec)
{
    const auto& limits = spec.resources;
    if (limits.memory_max) {
        add.push_back({"MemoryMax", *limits.memory_max});
        add.push_back({"MemorySwapMax", std::uint64_t{0}});
    }
    if (limits.memory_low)
        add.push_back({"MemoryLow", *limits.memory_low});
    if (limits.cpu_quota_usec)
        add.push_back({"CPUQuotaPerSecUSec", *limits.cpu_quota_usec});
    if (limits.cpu_weight)
        add.push_back({"CPUWeight", *limits.cpu_weight});
    add.push_back({"TasksMax", limits.tasks_max});
    if (limits.open_files) { // the other limits PID 1 hands on as it has got them (systemd-system.conf(5))
        add.push_back({"LimitNOFILE", limits.open_files->hard});
        add.push_back({"LimitNOFILESoft", limits.open_files->soft});
    }
    if (spec.oom_score_adjust)
        add.push_back({"OOMScoreAdjust", std::int32_t{*spec.oom_score_adjust}});
    add.push_back({"OOMPolicy", std::string{"stop"}}); // Result=oom-kill then tells it from a SIGKILL by hand
}

// By number: PID 1 does not look for this path.
std::string device_path(std::string_view kind, std::string_view number)
{
    return fmt::format("/dev/{}/{}", kind, number);
}

void add_block_limits(Properties& add, const AppSpec& spec)
{
    const auto limit = [&](const std::optional<std::uint64_t>& value, std::initializer_list<const char*> properties) {
        if (!value)
            return;
        std::vector<NumberPair> on_each;
        for (const auto& disk : spec.resources.disks)
            on_each.emplace_back(device_path("block", disk), *value);
        for (const char* property : properties)
            add.push_back({property, on_each});
    };
    limit(spec.resources.block_bandwidth, {"IOReadBandwidthMax", "IOWriteBandwidthMax"});
    limit(spec.resources.block_iops, {"IOReadIOPSMax", "IOWriteIOPSMax"});
}

void add_devices(Properties& add, const AppSpec& spec)
{
    if (!spec.restrict_devices)
        return;
    add.push_back({"DevicePolicy", std::string{"closed"}});
    std::vector<StringPair> allowed;
    for (const auto& device : spec.devices)
        allowed.emplace_back(
            device_path(device.block ? "block" : "char", fmt::format("{}:{}", device.major, device.minor)),
            device.writable ? "rw" : "r"); // never "m": no app makes nodes
    if (!allowed.empty())
        add.push_back({"DeviceAllow", std::move(allowed)});
}

// The order of starts is the supervisor's business, that of stops is PID 1's.
void add_policy(Properties& add, const model::AppPolicy& policy)
{
    std::vector<std::string> after;
    for (const auto& app : policy.after)
        after.push_back(unit_name(app.str()));
    add.push_back({"Restart", std::string{model::word(policy.restart)}});
    add.push_back({"RestartUSec", policy.restart_usec});
    add.push_back({"StartLimitIntervalUSec", policy.restarts() ? policy.start_limit_usec : 0});
    add.push_back({"StartLimitBurst", policy.start_limit_burst});
    add.push_back({"TimeoutStopUSec", policy.stop_timeout_usec});
    add.push_back({"KillSignal", std::int32_t{policy.stop_signal}});
    add.push_back({"After", std::move(after)});
}

} // namespace

std::string_view signature(const PropertyValue& value)
{
    constexpr std::string_view signatures[] = {"b",     "i",        "u",     "t",       "s",    "as",
                                               "(bas)", "a(sasas)", "a(ss)", "a(ssbt)", "a(st)"};
    static_assert(std::size(signatures) == std::variant_size_v<PropertyValue>);
    return signatures[value.index()];
}

std::string notify_socket_in_pod(std::string_view app)
{
    return fmt::format("/run/rocket-{}-notify", app);
}

std::string app_root_in_pod(std::string_view app)
{
    return model::in_pod::app_rootfs(app);
}

std::vector<UnitProperty> unit_properties(const AppSpec& spec, const model::AppPolicy& policy)
{
    Properties all;
    add_service(all, spec, policy);
    for (const auto add :
         {add_environment, add_root, add_identity, add_seccomp, add_resources, add_block_limits, add_devices})
        add(all, spec);
    add_policy(all, policy);
    return all;
}

} // namespace rocket::stage1
