// SPDX-License-Identifier: Apache-2.0
// The system calls a confined worker may make; any other ends it on the spot.
#pragma once

#include <initializer_list>
#include <span>

namespace rocket::unpack
{

extern const std::span<const int> stream_calls;    // reading and writing descriptors that are open, memory, ending
extern const std::span<const int> tree_calls;      // making files below a directory
extern const std::span<const int> replacing_calls; // taking them away again
extern const std::span<const int> reading_calls;   // reading those below a directory

void allow_only(std::initializer_list<std::span<const int>> lists);

} // namespace rocket::unpack
