// SPDX-License-Identifier: Apache-2.0
// The host's firewall: what there is of it, and what a pod has in it. nftables where the kernel has them, iptables
// otherwise (nft_rules.hh, iptables_rules.hh); the state records which, so that removal looks at the right place.
// Errors: Kind::system with what the firewall says.
#pragma once

#include "common/model/network.hh"
#include "common/model/pod_id.hh"
#include "stage1/net/preparation.hh"

namespace rocket::stage1
{

class Firewall
{
public:
    explicit Firewall(int held_fd) : held_fd_{held_fd} {} // see iptables.hh

    HostFirewall look() const;
    void add_rules(const model::PodId& id, const model::NetworkState& state) const;
    void remove_rules(const model::PodId& id, const model::NetworkState& state) const; // also if there are none

private:
    int held_fd_;
};

} // namespace rocket::stage1
