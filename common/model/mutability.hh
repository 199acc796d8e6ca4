// SPDX-License-Identifier: Apache-2.0
// Whether apps of a pod come and go while it runs: coreos.com/rkt/stage1/mutable, an annotation of the pod (internals
// 2.3). Such a pod may have no app at all.
#pragma once

#include "common/model/pod_manifest.hh"

namespace rocket::model
{

bool is_mutable(const PodManifest& pod) noexcept;
void set_mutable(PodManifest& pod);

} // namespace rocket::model
