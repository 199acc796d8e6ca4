// SPDX-License-Identifier: Apache-2.0
// The user namespace of a pod that runs with --private-users (internals 11, S12): its ids 0 to 65535 are a range of the
// host's that nobody else has. It exists before the pod does, so that files can be mapped into it (mount.hh), and owns
// all other namespaces of the pod. What only the host's root can make is made outside and passed in: see launch.cc.
#pragma once

#include <vector>

#include "common/model/id_range.hh"
#include "common/sys/fd.hh"
#include "common/sys/process.hh"

namespace rocket::stage1
{

struct PrivateUsers {
    model::IdRange range;
    Fd users; // the namespace
};
PrivateUsers make_private_users(const model::IdRange& range); // Kind::unsupported where the host does not let us

// This process joins the namespace and becomes its root; never back.
void become_root_in(int users);
void become_root(); // of the user namespace that this process has joined already

// /proc and /sys of a pod, made by the host's root, in the pod's PID namespace and, if it has its own, network
// namespace. The pod's own root may only mount them where the host's have nothing mounted on them.
struct KernelTrees {
    Fd proc;
    Fd sysfs;
};
KernelTrees make_kernel_trees(int init_pidfd, bool new_network, bool read_only_sysfs);

} // namespace rocket::stage1
