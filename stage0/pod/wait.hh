// SPDX-License-Identifier: Apache-2.0
// Waiting for a pod, without polling: inotify says that files of its directory have changed or that it was moved, and a
// thread that waits for the pod's lock says that its owner has ended.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "stage0/pod/pod.hh"

namespace rocket::pod
{

using Deadline = std::optional<std::chrono::steady_clock::time_point>; // nullopt: never

// Until `done(pod)`, asked again (after pod.refresh()) whenever something has changed. false: the deadline came first.
bool wait_until(Pod& pod, const std::function<bool(const Pod&)>& done, Deadline deadline);

bool is_ready(const Pod& pod); // its supervisor has said so

} // namespace rocket::pod
