// SPDX-License-Identifier: Apache-2.0
// What a worker gives up before it reads its first byte of input (R1). Every step that the host offers to root has to
// succeed; what needs a newer kernel (Landlock, a user namespace of our own) is taken where it is there.
#pragma once

#include <functional>
#include <string>

#include "common/sys/fd.hh"
#include "stage0/unpack/limits.hh"

namespace rocket::unpack
{

// No privilege at all: empty root, no network, nobody's user id, a handful of system calls on descriptors 0, 1 and
// `report`; every other descriptor is closed.
void confine_decompressor(const Limits& limits, int report);

// The root directory is `tree` (nosuid, nodev), no network, the capabilities that writing other users' files takes, and
// those only in a user namespace of its own where there can be one: then they count for files and nothing else. Only
// device nodes need the host's, which is why they are allowed on demand only, and never for layers.
// Without privilege: no capability, and nothing but `tree` to write to (Landlock).
// The descriptor returned is the new root. Works with `tree` = -1, for reading without writing: then as above.
// `note` is told what the host does not offer.
struct TreeRights {
    bool devices = false; // may make device nodes
    bool layer = false;   // may make white-outs, and replace what it has made
};
Fd confine_extractor(const Limits& limits, int report, int tree, TreeRights rights,
                     const std::function<void(const std::string&)>& note);

// The root directory is `tree`, a detached mount, of which everything can be read and nothing written; no network. Open
// stay 0, 1, 2 and `report`. The descriptor returned is the new root.
Fd confine_packer(int report, int tree);

} // namespace rocket::unpack
