// SPDX-License-Identifier: Apache-2.0
// A user namespace in which every id means what it means outside (R1). Capabilities of whoever enters it reach files
// and their owners, and nothing else: not the host's mounts, network, clock, devices or processes.
#pragma once

#include "common/sys/fd.hh"

namespace rocket::unpack
{

// For setns(2). Needs root and /proc. Errors: Kind::system, where the kernel, or what contains us, does not allow it.
Fd make_identity_namespace();

} // namespace rocket::unpack
