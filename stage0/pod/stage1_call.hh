// SPDX-License-Identifier: Apache-2.0
// Entry points of the stage1 that a pod was prepared with (internals 3): found in the pod's own copy of the stage1
// manifest, started with the pod directory as working directory.
#pragma once

#include <string>
#include <vector>

#include "common/sys/process.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

struct OwnedPod;

// Runs `gc` or `stop` and waits: "ENTRY ARGS... UUID", with our stdout and stderr.
ExitStatus call_stage1(const Pod& pod, const std::string& name, std::vector<std::string> arguments);

// Becomes the pod's supervisor: "run ARGS... UUID" in this process, with the pod's lock as RKT_LOCK_FD. Returns only by
// throwing.
[[noreturn]] void exec_run(OwnedPod owned, std::vector<std::string> arguments);

// Becomes the entry point `enter` or `attach`: "NAME ARGS...".
[[noreturn]] void exec_stage1(const Pod& pod, const std::string& name, std::vector<std::string> arguments);

} // namespace rocket::pod
