// SPDX-License-Identifier: Apache-2.0
// From the flags of `run` and `prepare` to a pod directory: stage1 and images first, which can take minutes and leave
// nothing behind but images; then the pod, built aside and published by one rename.
#pragma once

#include <functional>

#include "stage0/cli/command.hh"
#include "stage0/cli/pod_flags.hh"
#include "stage0/pod/new_pod.hh"

namespace rocket::cli
{

struct MakePod {
    const PodFlags& flags;
    pod::PodStage stage;                                       // where it is published: prepared or run
    bool one_app_only = false;                                 // --interactive
    std::function<void(const model::PodManifest&)> check = {}; // throws if it is not to be made
};

pod::OwnedPod make_pod(const Context& context, const MakePod& what);

} // namespace rocket::cli
