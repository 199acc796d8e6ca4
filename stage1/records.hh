// SPDX-License-Identifier: Apache-2.0
// What the supervisor writes into the pod directory, each file replaced as a whole: a reader sees the old content or
// the new one. Nothing here has to survive a power cut, which ends the pod anyway.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "stage1/app_progress.hh"
#include "stage1/app_spec.hh"
#include "stage1/health.hh"

namespace rocket::stage1
{

// A full disk does not end a pod that runs: its records are worth less than it is. Warns.
void try_to_record(const std::function<void()>& record);

// subcgroup, then ppid: whoever finds ppid may rely on subcgroup (internals 3.4).
void record_start(int pod_dir, const std::string& group);
// How the apps are confined, for `enter` (R8) and for status (ISO-5); then the pid: whoever finds pid1 finds the apps.
void record_init(int pod_dir, pid_t init, const std::vector<AppSpec>& apps);
void record_ready(int pod_dir);
void record_result(int pod_dir, const std::string& app, const AppResult& result);
// How well the app is, and how its last check ended, if there was one (`checked_ns`, CLOCK_REALTIME, not 0).
void record_health(int pod_dir, const std::string& app, const Health& health, std::uint64_t checked_ns, int status,
                   std::string_view output);
// Of apps of mutable pods: that it is there; that it starts (again), which takes the result of the last time away.
void record_created(int pod_dir, const std::string& app);
void record_started(int pod_dir, const std::string& app);
void record_exit(int pod_dir, int status, std::string_view reason);

} // namespace rocket::stage1
