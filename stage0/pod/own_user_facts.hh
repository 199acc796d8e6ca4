// SPDX-License-Identifier: Apache-2.0
// What `rocket explain` says of pods whose supervisor is root of a user namespace alone (users/own_root.hh), and of no
// others.
#pragma once

#include <sys/types.h>

#include <optional>

#include "stage0/pod/origins.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

// nullopt: the trees of the app's image have all set-id bits that the image has (store/set_ids.hh).
std::optional<Origin> lacking_set_ids(const Pod& pod, const model::AppName& app);

// The pod's name in machined, and who has had it registered; nullopt: it has none. `init`: the pod's.
std::optional<Origin> machine_of(const Pod& pod, pid_t init);

} // namespace rocket::pod
