// SPDX-License-Identifier: Apache-2.0
// From an app of the pod manifest to an AppSpec. Runs inside the pod's mount namespace when everything is mounted:
// users, executables and the working directory are looked up in the app's final root, volumes included, every path by
// the kernel inside that root (R3), and nothing in it can make us wait (R16).
// Errors: Kind::usage for what the manifest asks and the image does not have; corrupt for oversized files. What cannot
// be executed is no error but AppSpec::exec_error: the pod ends with 203 then (cli 9.5).
#pragma once

#include "common/model/image_manifest.hh"
#include "common/model/pod_manifest.hh"
#include "common/sys/path.hh"
#include "stage1/app_spec.hh"
#include "stage1/pod_facts.hh"

namespace rocket::stage1
{

// app.app must be there (check_reified). `pod`: isolators of the pod as a whole.
AppSpec resolve(const model::RuntimeApp& app, const model::ImageManifest& image, const model::Isolators& pod,
                const PodFacts& facts, const InRoot& root);

} // namespace rocket::stage1
