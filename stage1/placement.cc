// SPDX-License-Identifier: Apache-2.0
#include "stage1/placement.hh"

#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "common/bus/machines.hh"
#include "common/sys/cgroup.hh"
#include "common/sys/error.hh"
#include "common/sys/process.hh"

namespace rocket::stage1
{

namespace
{

// In a service, of no user session, and not merely started by a script in it: that one has a life of its own.
bool is_main_process_of_service()
{
    char* unit = nullptr;
    uid_t owner = 0;
    if (::sd_pid_get_unit(0, &unit) < 0)
        return false;
    const std::unique_ptr<char, decltype(&::free)> owned{unit, ::free};
    return std::string_view{unit}.ends_with(".service") && ::sd_pid_get_owner_uid(0, &owner) < 0 &&
           ::getsid(0) == ::getpid();
}

std::string below(const std::string& group, const std::string& name)
{
    return (group == "/" ? "" : group) + '/' + name;
}

std::vector<std::string> wanted_controllers(const std::string& own)
{
    auto available = cgroup::available_controllers(own);
    std::erase_if(available, [](const std::string& name) {
        return name != "cpu" && name != "memory" && name != "pids" && name != "io" && name != "cpuset";
    });
    return available;
}

// Only there may processes and groups with controllers live side by side. Elsewhere, with the caller's processes in it,
// a group that is given cpu or pids makes its children "domain invalid": no process can enter them (EOPNOTSUPP).
bool is_hierarchy_root(const std::string& group)
{
    return !cgroup::exists(below(group, "cgroup.type"));
}

void create_own(const std::string& group)
{
    try {
        cgroup::create(group);
    } catch (Error& error) {
        if (error.error_number() == EACCES || error.error_number() == EROFS)
            error.set_hint("the unit has to hand its group on: Delegate=yes, and no ProtectControlGroups=");
        throw;
    }
}

} // namespace

HostCgroups host_cgroups(bool wants_machine)
{
    HostCgroups host;
    host.wants_machine = wants_machine;
    host.booted = ::sd_booted() > 0;
    host.is_unit_process = host.booted && is_main_process_of_service();
    host.knows_us = !in_user_namespace();
    host.own = cgroup::of_process(0).value_or("/");
    return host;
}

std::string machine_scope_name(std::string_view machine)
{
    std::string escaped; // as systemd-escape(1) would, for the letters, digits and dashes there can be
    for (const char c : machine)
        escaped += c == '-' ? std::string{"\\x2d"} : std::string{c};
    return "machine-" + escaped + ".scope";
}

Placement choose_group(const model::PodId& id, const HostCgroups& host)
{
    using Kind = Placement::Kind;
    const auto scope = machine_scope_name(bus::machine_name(id));
    if (host.is_unit_process)
        return {Kind::payload, below(host.own, "payload"), {}};
    if (host.booted && host.knows_us && host.wants_machine)
        return {Kind::scope, "/machine.slice/" + scope, below(host.own, scope)};
    return {Kind::below_caller, below(host.own, scope), {}};
}

std::vector<std::string> make_group(const Placement& placement, const std::string& group, const std::string& own)
{
    create_own(group);
    const auto wanted = wanted_controllers(own);
    if (wanted.empty())
        return {};
    if (placement.kind == Placement::Kind::payload) {
        cgroup::create(below(own, "supervisor"));
        cgroup::move(below(own, "supervisor"), 0);
    } else if (!is_hierarchy_root(own)) {
        return {};
    }
    [[maybe_unused]] const auto missing = cgroup::enable_controllers(own, wanted);
    return cgroup::available_controllers(group);
}

} // namespace rocket::stage1
