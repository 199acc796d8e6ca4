// SPDX-License-Identifier: Apache-2.0
// Keys of podman's Quadlet that are refused, and what to do instead.
#include "stage0/quadlet/container.hh"

namespace rocket::quadlet
{

namespace
{

constexpr Refusal refusals[] = {
    {"ExposeHostPort", "say PublishPort= for ports that are to be reachable"},
    {"GIDMap", "say UserNS=auto for ids of the pod's own"},
    {"HealthLogDestination", "the last check's output is in `rocket status --format=json`"},
    {"HealthMaxLogCount", "the last check's output is in `rocket status --format=json`"},
    {"HealthMaxLogSize", "the last check's output is in `rocket status --format=json`"},
    {"IP6", "IPv6 addresses are given out by the network"},
    {"Mask", "what is hidden from apps is hidden from all of them"},
    {"PodmanArgs", "say RocketArgs= with flags of `rocket run`"},
    {"ReadOnlyTmpfs", "with ReadOnly= say Tmpfs= for each directory that is to be writable"},
    {"Rootfs", "an app needs an image"},
    {"SubGIDMap", "say UserNS=auto for ids of the pod's own"},
    {"SubUIDMap", "say UserNS=auto for ids of the pod's own"},
    {"UIDMap", "say UserNS=auto for ids of the pod's own"},
    {"Unmask", "what is hidden from apps is hidden from all of them"},
};

} // namespace

std::span<const Refusal> refused_keys()
{
    return refusals;
}

} // namespace rocket::quadlet
