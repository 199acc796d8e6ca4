// SPDX-License-Identifier: Apache-2.0
#include "stage1/unit_properties.hh"

#include <algorithm>
#include <cerrno>

#include <doctest/doctest.h>

#include "stage1/capabilities.hh"
#include "stage1/seccomp.hh"

using namespace rocket;
using namespace rocket::stage1;
using Words = std::vector<std::string>;

namespace
{

AppSpec simple_spec()
{
    AppSpec spec;
    spec.name = "web";
    spec.uid = 33;
    spec.gid = 34;
    spec.supplementary_gids = {5, 6};
    spec.main = {"/bin/sh", {"sh", "-c", "$X %n"}};
    spec.environment = {{"PATH", "/bin"}, {"X", "a b"}};
    spec.bounding_set = default_capabilities();
    return spec;
}

// All properties of that name, in order.
std::vector<PropertyValue> values(const AppSpec& spec, std::string_view name, const model::AppPolicy& policy = {})
{
    std::vector<PropertyValue> found;
    for (const auto& property : unit_properties(spec, policy))
        if (property.name == name)
            found.push_back(property.value);
    return found;
}

template <typename Type>
Type value(const AppSpec& spec, std::string_view name, const model::AppPolicy& policy = {})
{
    const auto found = values(spec, name, policy);
    REQUIRE_MESSAGE(found.size() == 1, name);
    REQUIRE_MESSAGE(std::holds_alternative<Type>(found[0]), name);
    return std::get<Type>(found[0]);
}

} // namespace

TEST_CASE("unit properties: root, identity and command of an app")
{
    const auto spec = simple_spec();
    CHECK(value<std::string>(spec, "RootDirectory") == "/run/host/app-web");
    CHECK(value<std::string>(spec, "WorkingDirectory") == "/");
    CHECK_FALSE(value<bool>(spec, "MountAPIVFS"));
    CHECK(value<bool>(spec, "PrivateMounts"));
    CHECK(value<std::string>(spec, "User") == "33"); // both, and numbers: PID 1 looks nothing up
    CHECK(value<std::string>(spec, "Group") == "34");
    CHECK(value<Words>(spec, "SupplementaryGroups") == Words{"5", "6"});
    CHECK(value<std::uint64_t>(spec, "CapabilityBoundingSet") == 0xa80425fb);
    CHECK(value<std::uint64_t>(spec, "AmbientCapabilities") == 0);
    CHECK_FALSE(value<bool>(spec, "NoNewPrivileges"));
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStartEx") ==
          std::vector<ExecLine>{{"/bin/sh", {"sh", "-c", "$X %n"}, {"no-env-expand"}}});
    CHECK(value<std::string>(spec, "Type") == "exec");
    CHECK(value<std::string>(spec, "KillMode") == "mixed");
    CHECK_FALSE(value<bool>(spec, "IgnoreSIGPIPE"));
    CHECK(values(spec, "ExecStartPreEx").empty());
    CHECK(values(spec, "ExecStopPostEx").empty());
}

TEST_CASE("unit properties: handlers; a failing post-stop changes nothing (APP-10, APP-11)")
{
    auto spec = simple_spec();
    spec.pre_start = {"/pre", {"pre"}};
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStartPreEx")[0] == ExecLine{"/pre", {"pre"}, {"no-env-expand"}});
    spec.pre_start.reset();
    spec.post_stop = {"/post", {"post"}};
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStopPostEx")[0] ==
          ExecLine{"/post", {"post"}, {"ignore-failure", "no-env-expand"}});
}

TEST_CASE("unit properties: the environment is exact; what PID 1 adds is taken away, what the app sets is not")
{
    auto spec = simple_spec();
    spec.environment.push_back({"LANG", "C"});
    CHECK(value<Words>(spec, "Environment") == Words{"PATH=/bin", "X=a b", "LANG=C"});
    const auto unset = value<Words>(spec, "UnsetEnvironment");
    const auto unsets = [&](const char* name) { return std::find(unset.begin(), unset.end(), name) != unset.end(); };
    for (const char* name :
         {"INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM", "USER", "HOME", "EXIT_CODE", "TERM"}) {
        CAPTURE(std::string{name});
        CHECK(unsets(name));
    }
    for (const char* name : {"PATH", "LANG", "X", "NOTIFY_SOCKET", "LISTEN_FDS"}) {
        CAPTURE(std::string{name});
        CHECK_FALSE(unsets(name));
    }
}

TEST_CASE("unit properties: what systemd does not take for a variable goes through the helper (APP-16)")
{
    auto spec = simple_spec();
    CHECK(values(spec, "BindReadOnlyPaths").empty());
    spec.environment.push_back({"DEBUG.0", "a b"});
    CHECK(value<Words>(spec, "Environment") == Words{"PATH=/bin", "X=a b"});
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStartEx") ==
          std::vector<ExecLine>{{"/dev/.rocket/exec-app",
                                 {"exec-app", "DEBUG.0=a b", "--", "/bin/sh", "sh", "-c", "$X %n"},
                                 {"no-env-expand"}}});
    CHECK(value<std::vector<BindMount>>(spec, "BindReadOnlyPaths") ==
          std::vector<BindMount>{{"/rocket/exec-app", "/dev/.rocket/exec-app", false, 0}});
}

TEST_CASE("unit properties: security labels are the helper's affair, for every command of the app (AAR-1, SEL-1)")
{
    auto spec = simple_spec();
    spec.labels = {"a profile", "u:r:t:s0"};
    spec.pre_start = {"/pre", {"pre"}};
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStartEx")[0].argv == Words{"exec-app", "--apparmor-profile=a profile",
                                                                             "--selinux-context=u:r:t:s0", "--",
                                                                             "/bin/sh", "sh", "-c", "$X %n"});
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStartPreEx")[0].argv[1] == "--apparmor-profile=a profile");
    CHECK(values(spec, "BindReadOnlyPaths").size() == 1);
}

TEST_CASE("unit properties: no post-stop after a failed pre-start (APP-10)")
{
    auto spec = simple_spec();
    spec.pre_start = {"/pre", {"pre"}};
    spec.post_stop = {"/post", {"post", "x"}};
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStopPostEx")[0].argv ==
          Words{"exec-app", "--only-after-main", "--", "/post", "post", "x"});
    CHECK(value<std::vector<ExecLine>>(spec, "ExecStartEx")[0].path == "/bin/sh");
    const auto unset = value<Words>(spec, "UnsetEnvironment");
    CHECK(std::count(unset.begin(), unset.end(), "EXIT_CODE") == 0); // how the helper knows
    CHECK(std::count(unset.begin(), unset.end(), "INVOCATION_ID") == 1);
}

TEST_CASE("unit properties: no seccomp, no trace of it")
{
    for (const char* name : {"SystemCallFilter", "SystemCallArchitectures", "SystemCallErrorNumber",
                             "RestrictAddressFamilies", "RestrictNamespaces", "LockPersonality"}) {
        CAPTURE(std::string{name});
        CHECK(values(simple_spec(), name).empty());
    }
}

TEST_CASE("unit properties: the default seccomp policy")
{
    auto spec = simple_spec();
    spec.seccomp = default_seccomp_policy(spec.bounding_set);
    const auto filter = value<NameFilter>(spec, "SystemCallFilter");
    CHECK_FALSE(filter.allow);
    CHECK(std::count(filter.names.begin(), filter.names.end(), "mount") == 1);
    CHECK(std::count(filter.names.begin(), filter.names.end(), "clone3:ENOSYS") == 1);
    CHECK(std::count(filter.names.begin(), filter.names.end(), "read") == 0);
    CHECK(value<std::int32_t>(spec, "SystemCallErrorNumber") == EPERM);
    CHECK(value<Words>(spec, "SystemCallArchitectures") == Words{"native"});
    CHECK(value<std::uint64_t>(spec, "RestrictNamespaces") == 0);
    CHECK(value<bool>(spec, "LockPersonality"));
    CHECK(value<NameFilter>(spec, "RestrictAddressFamilies").allow);
    spec.bounding_set |= 1U << 21; // CAP_SYS_ADMIN
    CHECK(values(spec, "RestrictNamespaces").empty());
}

TEST_CASE("unit properties: an allow list is exact, without PID 1's own additions (SEC-5)")
{
    auto spec = simple_spec();
    spec.seccomp = {SeccompPolicy::Mode::allow, {"execve", "exit_group", "mmap"}, std::nullopt, false};
    const auto filters = values(spec, "SystemCallFilter");
    REQUIRE(filters.size() == 2);
    CHECK(std::get<NameFilter>(filters[0]) == NameFilter{true, {"execve", "exit_group", "mmap"}});
    const auto& taken_away = std::get<NameFilter>(filters[1]);
    CHECK_FALSE(taken_away.allow);
    CHECK(std::count(taken_away.names.begin(), taken_away.names.end(), "brk") == 1);
    CHECK(std::count(taken_away.names.begin(), taken_away.names.end(), "mmap") == 0);
    CHECK(values(spec, "SystemCallErrorNumber").empty()); // kills
    CHECK(value<std::string>(spec, "Type") == "simple");  // the report of Type=exec needs write(2)
    spec.seccomp.syscalls.push_back("write");
    CHECK(value<std::string>(spec, "Type") == "exec");
    spec.seccomp = {SeccompPolicy::Mode::deny, {"write"}, std::nullopt, false};
    CHECK(value<std::string>(spec, "Type") == "simple");
    spec.seccomp.syscalls.clear();
    CHECK(values(spec, "SystemCallFilter").empty());
}

TEST_CASE("unit properties: limits and devices")
{
    auto spec = simple_spec();
    spec.resources = {.memory_max = 4096, .memory_low = 1024, .cpu_quota_usec = 500000, .cpu_weight = 39};
    spec.oom_score_adjust = 100;
    spec.devices = {{true, 8, 1, true}, {false, 1, 11, false}};
    CHECK(value<std::uint64_t>(spec, "MemoryMax") == 4096);
    CHECK(value<std::uint64_t>(spec, "MemoryLow") == 1024);
    CHECK(value<std::uint64_t>(spec, "CPUQuotaPerSecUSec") == 500000);
    CHECK(value<std::uint64_t>(spec, "CPUWeight") == 39);
    CHECK(value<std::uint64_t>(spec, "TasksMax") == 4096);
    CHECK(value<std::int32_t>(spec, "OOMScoreAdjust") == 100);
    CHECK(value<std::string>(spec, "DevicePolicy") == "closed");
    CHECK(value<std::vector<StringPair>>(spec, "DeviceAllow") ==
          std::vector<StringPair>{{"/dev/block/8:1", "rw"}, {"/dev/char/1:11", "r"}});
    spec.restrict_devices = false;
    CHECK(values(spec, "DevicePolicy").empty());
    CHECK(values(spec, "IOReadBandwidthMax").empty());
    spec.resources.block_bandwidth = 1000;
    spec.resources.block_iops = 20;
    spec.resources.disks = {"8:0"};
    for (const char* name : {"IOReadBandwidthMax", "IOWriteBandwidthMax"})
        CHECK(value<std::vector<NumberPair>>(spec, name) == std::vector<NumberPair>{{"/dev/block/8:0", 1000}});
    for (const char* name : {"IOReadIOPSMax", "IOWriteIOPSMax"})
        CHECK(value<std::vector<NumberPair>>(spec, name) == std::vector<NumberPair>{{"/dev/block/8:0", 20}});
}

TEST_CASE("unit properties: signatures")
{
    const std::pair<PropertyValue, const char*> rows[] = {
        {true, "b"},
        {std::int32_t{1}, "i"},
        {std::uint32_t{1}, "u"},
        {std::uint64_t{1}, "t"},
        {std::string{}, "s"},
        {Words{}, "as"},
        {NameFilter{}, "(bas)"},
        {std::vector<ExecLine>{}, "a(sasas)"},
        {std::vector<StringPair>{}, "a(ss)"},
        {std::vector<BindMount>{}, "a(ssbt)"},
    };
    for (const auto& [value, expected] : rows)
        CHECK(signature(value) == expected);
}

TEST_CASE("unit properties: by default an app is never started again, and nothing limits its start")
{
    const auto spec = simple_spec();
    CHECK(value<std::string>(spec, "Restart") == "no");
    CHECK(value<std::uint64_t>(spec, "StartLimitIntervalUSec") == 0);
    CHECK(value<Words>(spec, "After").empty());
    CHECK(value<std::int32_t>(spec, "KillSignal") == 15);
}

TEST_CASE("unit properties: restart, order and stop of an app (L3)")
{
    const model::AppPolicy policy{.restart = model::AppPolicy::Restart::on_failure,
                                  .restart_usec = 5,
                                  .after = {model::AppName::parse("db")},
                                  .stop_timeout_usec = 7,
                                  .stop_signal = 2};
    const auto spec = simple_spec();
    CHECK(value<std::string>(spec, "Restart", policy) == "on-failure");
    CHECK(value<std::uint64_t>(spec, "RestartUSec", policy) == 5);
    CHECK(value<std::uint64_t>(spec, "StartLimitIntervalUSec", policy) == 10'000'000);
    CHECK(value<std::uint32_t>(spec, "StartLimitBurst", policy) == 5);
    CHECK(value<std::uint64_t>(spec, "TimeoutStopUSec", policy) == 7);
    CHECK(value<std::int32_t>(spec, "KillSignal", policy) == 2);
    CHECK(value<Words>(spec, "After", policy) == Words{"app-db.service"});
    CHECK(value<std::string>(spec, "Type", policy) == "simple"); // or readiness could wait for the next start
}
