// SPDX-License-Identifier: Apache-2.0
// openat2(2) where a filter that we were started under has taken it away (RestrictSUIDSGID= of systemd, which
// DynamicUser= implies): the same walk by openat(2), one name at a time, each held by a descriptor. ".." is the
// directory that was walked through before, never looked up: no rename leads out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace rocket::sys
{

// As openat2(2): a descriptor, or -1 and errno, with the same RESOLVE_ flags but RESOLVE_CACHED, which is EINVAL; of
// the links of procfs only those in its root are followed, none of which is magic. Not atomic: what is renamed
// meanwhile may give an error, and never a place that `resolve` forbids.
int resolve_by_hand(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve, mode_t mode);

} // namespace rocket::sys
