// SPDX-License-Identifier: Apache-2.0
// AppArmor profiles and SELinux contexts of apps (AAR-1, SEL-1): who gets which, and how a process takes one on. Apps
// of the default flavour take theirs on in stage2-helpers/exec_app.cc, for PID 1 of a pod sees no security module.
#pragma once

#include <string>
#include <vector>

#include "common/model/isolators.hh"
#include "common/model/pod_manifest.hh"
#include "stage1/app_spec.hh"

namespace rocket::stage1
{

struct PodFacts;

// An app's own, else the pod's. What the host cannot enforce is left out, and reported (ISO-5).
SecurityLabels labels_of(const model::Isolators& app, const model::Isolators& pod, const PodFacts& facts,
                         std::vector<std::string>& reports);

// Before anything of the pod is made. Kind::usage if a profile is not loaded, or the host's policy has no such context
// or does not let us use it.
void check_labels(const model::PodManifest& pod, const PodFacts& facts);

// Has the next execve(2) of this thread begin under them. Errors as above.
void label_next_exec(const SecurityLabels& labels);

} // namespace rocket::stage1
