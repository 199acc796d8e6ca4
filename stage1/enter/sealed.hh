// SPDX-License-Identifier: Apache-2.0
// Who enters a pod is visible in it as /proc/PID/exe. So that nobody there can write to the host's file through that,
// the program that enters is a copy of it in memory that is sealed against every change (R8).
#pragma once

namespace rocket::stage1
{

// Returns at once in the copy; otherwise executes the copy, with the same arguments and environment.
void continue_in_sealed_copy(char* const* argv);

} // namespace rocket::stage1
