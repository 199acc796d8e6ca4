// SPDX-License-Identifier: Apache-2.0
// The plan of a fly pod (internals 12.1): one app in a mount namespace and a root of its own, and otherwise on the
// host: its processes, its network unless --net=none, its IPC unless --ipc=private, its name unless --hostname. Pure
// but for the host's name. Errors: Kind::usage, Kind::unsupported.
#pragma once

#include <cstdint>

#include "stage1/plan.hh"

namespace rocket::stage1::fly
{

// `has_terminal`: the caller's standard input is a terminal, which --interactive makes the app's. Each of the app's
// streams is then planned as `interactive`, or else `null`, or `log`, which is here: the caller's.
Plan make_plan(const Pod& pod, const RunOptions& options, bool has_terminal);
std::uint64_t namespaces(const Plan& plan); // CLONE_NEW*

} // namespace rocket::stage1::fly
