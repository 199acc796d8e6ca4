// SPDX-License-Identifier: Apache-2.0
// The pod's side of the metadata service (MDS-21, cli 10.1): it is registered before its first app starts, over a
// socket that only root may use. Errors: Kind::unsupported if no network of the pod leads to this host; Kind::system if
// the service cannot be reached, does not answer within some seconds, or refuses.
#pragma once

#include <string>

#include "common/model/network.hh"
#include "stage1/pod.hh"

namespace rocket::stage1
{

// AC_METADATA_URL of the pod's apps. `networks`: nullptr if it shares the host's.
std::string register_pod(const Pod& pod, const model::NetworkState* networks);

} // namespace rocket::stage1
