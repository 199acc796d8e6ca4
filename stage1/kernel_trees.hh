// SPDX-License-Identifier: Apache-2.0
// New /proc and /sys, detached, of the PID and the network namespace that the caller is in.
#pragma once

#include "common/sys/fd.hh"

namespace rocket::stage1
{

Fd new_proc();
Fd new_sysfs(bool read_only);

} // namespace rocket::stage1
