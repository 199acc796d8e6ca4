// SPDX-License-Identifier: Apache-2.0
// What an app has of the kernel's file systems and devices: the paths in /proc and /sys that it cannot see or cannot
// write, and the devices in its /dev, as the kernel has them (/proc/PID/mountinfo, proc(5)). Plain data.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace rocket::pod
{

struct GuardedPlace {
    std::string path; // in the app
    std::string is;   // "masked", "read-only", "device"
    bool operator==(const GuardedPlace&) const = default;
};

std::vector<GuardedPlace> guarded_places(std::string_view mountinfo); // by kind and path
std::vector<GuardedPlace> guarded_places(pid_t app);                  // none, if it is gone

} // namespace rocket::pod
