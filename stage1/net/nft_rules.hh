// SPDX-License-Identifier: Apache-2.0
// What a pod has in nftables: one table, named after it, with its masquerading, its published ports, and what keeps a
// restricted network apart. It comes with one transaction and goes with one, so that nothing of it can be left over or
// be mistaken for another pod's. Pure text.
#pragma once

#include <string>

#include "common/model/network.hh"
#include "common/model/pod_id.hh"

namespace rocket::stage1
{

// Empty if the pod needs none. Of networks without a result nothing is said.
std::string make_nft_rules(const model::PodId& id, const model::NetworkState& state);
std::string remove_nft_rules(const model::PodId& id); // also if there are none

} // namespace rocket::stage1
