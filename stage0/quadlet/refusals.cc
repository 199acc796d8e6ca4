// SPDX-License-Identifier: Apache-2.0
// Keys of podman's Quadlet that are refused, and what to do instead.
#include "stage0/quadlet/container.hh"

namespace rocket::quadlet
{

namespace
{

constexpr Refusal refusals[] = {
    {"CgroupsMode", "a pod always has a cgroup of its own, below that of its service"},
    {"ContainersConfModule", "containers.conf is not read: see rocket-config(5)"},
    {"ExposeHostPort", "say PublishPort= for ports that are to be reachable"},
    {"GIDMap", "say UserNS=auto for ids of the pod's own"},
    {"HealthLogDestination", "the last check's output is in `rocket status --format=json`"},
    {"HealthMaxLogCount", "the last check's output is in `rocket status --format=json`"},
    {"HealthMaxLogSize", "the last check's output is in `rocket status --format=json`"},
    {"HttpProxy", "say EnvironmentHost= or Environment= for what apps are to know of a proxy"},
    {"IP6", "IPv6 addresses are given out by the network"},
    {"LogOpt", "what apps say goes to the journal, which has limits of its own (journald.conf(5))"},
    {"Mask", "what is hidden from apps is hidden from all of them"},
    {"PidsLimit", "say TasksMax= in [Service], for the whole pod"},
    {"PodmanArgs", "say RocketArgs= with flags of `rocket run`"},
    {"ReadOnlyTmpfs", "with ReadOnly= say Tmpfs= for each directory that is to be writable"},
    {"Rootfs", "an app needs an image"},
    {"SeccompProfile", "say RocketArgs=--seccomp=mode=...,CALL,... instead of a file"},
    {"StopSignal", "say RocketArgs=--annotation=rocket/stop-signal=SIGNAL"},
    {"StopTimeout", "say RocketArgs=--annotation=rocket/stop-timeout-sec=SECONDS"},
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
