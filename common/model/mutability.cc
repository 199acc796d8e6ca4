// SPDX-License-Identifier: Apache-2.0
#include "common/model/mutability.hh"

namespace rocket::model
{

namespace
{

constexpr const char* annotation = "coreos.com/rkt/stage1/mutable";

} // namespace

bool is_mutable(const PodManifest& pod) noexcept
{
    const auto* value = find(pod.annotations, annotation);
    return value != nullptr && *value == "true";
}

void set_mutable(PodManifest& pod)
{
    set(pod.annotations, AcIdentifier::parse(annotation), "true");
}

} // namespace rocket::model
