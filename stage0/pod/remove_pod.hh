// SPDX-License-Identifier: Apache-2.0
// The end of a pod (R15): stage1 gives back what it holds on the host, the directory is renamed away into
// DATA/garbage, and then deleted. Each step can be repeated; none needs free space; a killed one is finished by gc.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/sys/error.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

struct OwnedPod;

// The exclusive lock if nobody has it, and the pod is still where it was; nullopt otherwise.
std::optional<OwnedPod> try_own(Pod&& pod);

// Deletes a pod whose lock we hold. `warn` gets what goes wrong without being in the way: a stage1 that cannot be
// asked to clean up any more.
void remove_owned(OwnedPod owned, const std::function<void(const Error&)>& warn = {});

// What a killed deletion has left in DATA/garbage. Entries that somebody is working on are left alone.
void sweep_garbage(const model::Layout& layout);

// A pod that has ended: records the time and moves it to exited-garbage. false if somebody else did.
bool mark_exited(Pod& pod);

} // namespace rocket::pod
