// SPDX-License-Identifier: Apache-2.0
// Lists of system calls by name: the sets a manifest may name, and what Rocket's own default filter allows. Data only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::stage1
{

// "@rkt/default-whitelist", "@systemd/mount" ...; nullopt: no such set. The two of "@appc.io/" are not lists.
std::optional<std::vector<std::string>> named_seccomp_set(std::string_view name);

// Sorted. Depends on the capabilities an app may have: CAP_SYS_ADMIN without mount(2) would be of no use.
std::vector<std::string> default_allowed_syscalls(std::uint64_t bounding_set);

} // namespace rocket::stage1
