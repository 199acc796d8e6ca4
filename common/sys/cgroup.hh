// SPDX-License-Identifier: Apache-2.0
// The unified (v2) cgroup hierarchy, wherever it is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified on hybrid
// hosts. A group is named by its path below that mount, beginning with '/'. See cgroups(7).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hh"

namespace rocket::cgroup
{

// The mount point, or nullopt on a host without the unified hierarchy.
std::optional<std::string> mount_point();
// The group a process is in ("/system.slice/x.service"); pid 0 is ourselves. nullopt if the process is gone.
std::optional<std::string> of_process(pid_t pid);

Fd open(const std::string& group); // directory descriptor, also for clone3's CLONE_INTO_CGROUP
bool exists(const std::string& group);
void create(const std::string& group);          // the parent must exist; an existing group is fine
void move(const std::string& group, pid_t pid); // pid 0 is ourselves
void kill(const std::string& group);            // SIGKILL to everything at and below it; a missing group is fine
bool is_populated(const std::string& group);    // any process at or below it; false if it is missing
// Removes it and all groups below; waits up to `milliseconds` for processes that are on their way out.
// False if somebody is still in there. A missing group is fine.
bool remove(const std::string& group, int milliseconds);

// A control file of the group, such as "memory.max"; nullopt if the group, or the controller in it, is missing.
std::optional<std::string> get(const std::string& group, const std::string& file);
bool set(const std::string& group, const std::string& file, const std::string& value); // false: no such file

std::vector<pid_t> processes(const std::string& group);                   // directly in it
std::vector<std::string> available_controllers(const std::string& group); // cgroup.controllers
// Lets this user make groups and move processes below it, as cgroups(7) has it ("Delegation"). Its limits stay ours.
void delegate(const std::string& group, uid_t uid, gid_t gid);
// Makes controllers usable in the groups below; those that cannot be had are returned.
std::vector<std::string> enable_controllers(const std::string& group, const std::vector<std::string>& wanted);

} // namespace rocket::cgroup
