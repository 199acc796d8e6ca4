// SPDX-License-Identifier: Apache-2.0
// Clones of this process for pods.
#pragma once

#include <cstdint>

#include "common/sys/process.hh"

namespace rocket::stage1
{

// As fork(2), with namespaces (CLONE_NEW*) and, unless `cgroup` is -1, born in the cgroup of that directory. An empty
// Process is the child.
Process clone_into(std::uint64_t namespaces, int cgroup);

} // namespace rocket::stage1
