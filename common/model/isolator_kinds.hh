// SPDX-License-Identifier: Apache-2.0
// Private to isolators.cc: what is known about each isolator of the specification, and how its value is read.
// Errors: Kind::corrupt with the place.
#pragma once

#include <span>
#include <string_view>

#include "common/model/isolators.hh"

namespace rocket::model
{

struct IsolatorKind {
    std::string_view name;
    bool for_app, for_pod;
    bool is_single;        // at most one in a list
    std::string_view twin; // excludes this one; may be empty
    void (*check)(const json::Cursor& value);
};

const IsolatorKind* kind_of(std::string_view name) noexcept; // a null pointer if it is unknown

Resource resource_from(const json::Cursor& value);         // cpu, memory
Resource default_resource_from(const json::Cursor& value); // the kinds that bound every device or interface (RES-2)
std::vector<std::string> capabilities_from(const json::Cursor& value);
SeccompSet seccomp_from(const json::Cursor& value, SeccompSet::Mode mode);
SelinuxContext selinux_context_from(const json::Cursor& value);
std::string apparmor_profile_from(const json::Cursor& value);
std::uint32_t cpu_shares_from(const json::Cursor& value);
std::int32_t oom_score_adj_from(const json::Cursor& value);

} // namespace rocket::model
