// SPDX-License-Identifier: Apache-2.0
// The root of an app, detached: its image's trees with a layer of the app's own on top, or its copy of the image.
#pragma once

#include <span>

#include "common/sys/fd.hh"
#include "stage1/plan.hh"
#include "stage1/user_namespace.hh"

namespace rocket::stage1
{

Fd open_app_root(const AppPlan& app, bool overlay, int pod_dir, const PrivateUsers* users);

// The directories of an app's root that are ours to give, never the image's (R4): real ones, whatever the image has.
// `image` are its trees, the topmost first; `layer` is where they are made if it, or else the image, has something
// else, or nothing, there. There is no image below where the app runs on a copy.
void make_top_directories(std::span<const Fd> image, int layer);

} // namespace rocket::stage1
