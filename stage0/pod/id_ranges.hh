// SPDX-License-Identifier: Apache-2.0
// Which ids of the host a pod with a user namespace gets: 65536 that nobody else has. Neither another pod of this data
// directory, in whatever state, nor a user of the host to whom /etc/subuid or /etc/subgid gives them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/model/id_range.hh"
#include "common/model/layout.hh"

namespace rocket::pod
{

// Chooses a range and writes it into the pod directory `pod`, which already lies among the pods: the range is taken
// from then on, and free again when the directory is gone. One at a time chooses, under a lock. Kind::busy when
// nothing is left.
model::IdRange reserve_id_range(const model::Layout& layout, int pod);

// The range of a user of the host who runs pods as its own (users/own_root.hh): chosen once, then always the same, for
// the files that have its ids outlive the pods.
model::IdRange reserve_id_range_of_user(const model::Layout& layout, std::uint32_t uid);

// The pod's range; nullopt: it has no user namespace of its own.
std::optional<model::IdRange> id_range_of(int pod);

// NAME:FIRST:COUNT per line, see subuid(5); what is no such line gives nothing to anybody.
std::vector<model::IdRange> parse_subids(std::string_view content);

// The first free range at or after the `start`-th possible one, going round; nullopt if there is none.
std::optional<model::IdRange> choose_id_range(const std::vector<model::IdRange>& taken, std::uint32_t start);

} // namespace rocket::pod
