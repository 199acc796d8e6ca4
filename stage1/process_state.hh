// SPDX-License-Identifier: Apache-2.0
// What a supervisor does to its own process before anything else (internals 3.4).
#pragma once

#include <initializer_list>

namespace rocket::stage1
{

// The event loop takes these from a signalfd; the pod's own processes get a clean slate when they are executed.
void block_signals(std::initializer_list<int> signals);

// The pod's lock came through execve, its number is in RKT_LOCK_FD. We hold it to the end; no program that is executed
// may. Throws Kind::usage if there is none.
void keep_lock_to_ourselves();

} // namespace rocket::stage1
