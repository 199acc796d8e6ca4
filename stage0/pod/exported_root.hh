// SPDX-License-Identifier: Apache-2.0
// An app's root as an ended pod has left it: the image's trees with what the app changed, files it deleted left out.
// The kernel puts the layers together (overlayfs, read-only), in a mount that is attached nowhere.
#pragma once

#include <string>

#include "common/model/names.hh"
#include "common/sys/fd.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

Fd open_exported_root(const Pod& pod, const model::AppName& app);

// The manifest of the app's image, without what it would add to, or take from, a tree that is complete.
std::string exported_manifest(const Pod& pod, const model::AppName& app);

} // namespace rocket::pod
