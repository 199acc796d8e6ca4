// SPDX-License-Identifier: Apache-2.0
// Resource isolators -> limits of the app's cgroup (RES-1..6, SHR-1, OOM-1). What cannot be enforced here is reported,
// not dropped silently. Errors: Kind::usage for limits that nothing could run under (QTY-8). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/model/isolators.hh"
#include "stage1/app_spec.hh"
#include "stage1/pod_facts.hh"

namespace rocket::stage1
{

Resources app_resources(const model::Isolators& isolators, const PodFacts& facts, std::vector<std::string>& reports);
std::optional<int> oom_score_adjust(const model::Isolators& isolators, const PodFacts& facts,
                                    std::vector<std::string>& reports);

// cgroup v1 shares, 2..262144, as a v2 weight, 1..10000.
std::uint64_t weight_of_shares(std::uint64_t shares);

// What goes into io.max of a cgroup of its own, a line each.
std::vector<std::string> io_max_lines(const Resources& limits);

} // namespace rocket::stage1
