// SPDX-License-Identifier: Apache-2.0
// Pods and images as messages of the API (cli 10.2). Errors: those of reading them.
#pragma once

#include <v1alpha.pb.h>

#include <string>

#include "stage0/pod/pod_info.hh"
#include "stage0/store/store.hh"

namespace rocket::api
{

// Without `detail` there is no manifest.
v1alpha::Pod describe(const pod::Pod& pod, bool detail);
v1alpha::Image describe(const store::Store& store, const store::Entry& entry, bool detail);

v1alpha::PodState state_of(pod::State state) noexcept;

} // namespace rocket::api
