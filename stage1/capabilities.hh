// SPDX-License-Identifier: Apache-2.0
// Capability sets as bits (bit n = capability n), from names in isolators (CAP-1..7). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/isolators.hh"

namespace rocket::stage1
{

std::uint64_t default_capabilities();                     // the fourteen of CAP-2
std::uint64_t all_capabilities(unsigned last_capability); // everything the kernel knows

// The bounding set of an app. Names that nobody knows, or that this kernel does not have, are reported and left out.
std::uint64_t bounding_set(const std::optional<model::CapabilitySet>& isolator, unsigned last_capability,
                           std::vector<std::string>& reports);

} // namespace rocket::stage1
