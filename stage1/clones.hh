// SPDX-License-Identifier: Apache-2.0
// Detached mounts that pods are made of. `users`: of a pod with a user namespace of its own, else null.
#pragma once

#include <cstdint>
#include <string>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"
#include "stage1/user_namespace.hh"

namespace rocket::stage1
{

Fd open_dir(int dir, const std::string& path); // O_PATH; its last component is no link

// A copy of what is mounted at `source` that is nobody's peer, with the owners that its files have in the pod.
Fd private_clone(int source, bool recursive, std::uint64_t attributes, const PrivateUsers* users);

// Owned by the pod's root.
Fd new_tmpfs(const char* size, const char* inodes, std::uint64_t attributes, const PrivateUsers* users);

// The last cause is what a user sees: it has to say what it is about.
template <typename Act>
decltype(auto) naming(const std::string& what, Act&& act)
{
    try {
        return act();
    } catch (const Error& error) {
        throw Error{error.kind(), fmt::format("{}: {}", what, error.innermost()), error.hint()};
    }
}

} // namespace rocket::stage1
