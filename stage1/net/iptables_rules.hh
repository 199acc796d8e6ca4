// SPDX-License-Identifier: Apache-2.0
// What a pod has in iptables: chains named after it, RKT-IN-, RKT-OUT-, RKT-FWD- or RKT-LO- and the first 20 digits of
// its UUID, and the jumps to them. Without nftables they do all that its table does (nft_rules.hh). With nftables, too,
// there is one where iptables drops what is forwarded: there only iptables can make an exception. Pure text.
#pragma once

#include <string>

#include "common/model/network.hh"
#include "common/model/pod_id.hh"

namespace rocket::stage1
{

// Input of iptables-restore --noflush for one family; empty if the pod needs none. Of networks without a result nothing
// is said.
std::string make_iptables_rules(const model::PodId& id, const model::NetworkState& state, bool v6);
// The same to take away what iptables-save says there is of the pod; empty if there is nothing.
std::string remove_iptables_rules(const model::PodId& id, const std::string& saved);

} // namespace rocket::stage1
