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

// A pod without apps, which come later (cli 8.17).
struct SandboxRequest {
    std::vector<model::ExposedPort> ports; // each with its port of the pod
    model::Annotations annotations;
    StringMap user_annotations, user_labels;
};

struct MakePod {
    const PodFlags& flags;
    pod::PodStage stage;                                       // where it is published: prepared or run
    bool one_app_only = false;                                 // --interactive
    std::function<void(const model::PodManifest&)> check = {}; // throws if it is not to be made
    const SandboxRequest* sandbox = nullptr;
};

pod::OwnedPod make_pod(const Context& context, const MakePod& what);

// Held from the choice of the images until the pod that uses them can be seen, so that nobody removes them meanwhile.
Lock prepare_lock(const model::Layout& layout);

} // namespace rocket::cli
