// SPDX-License-Identifier: Apache-2.0
// Isolators of the pod itself (ISO-1, RES-5, F8): limits of the cgroup that all its apps are in, and kernel parameters
// of its namespaces (CTL-1, CTL-2); security labels are its apps' (security_labels.hh). What cannot be enforced here is
// reported (ISO-5), what must not be set is refused.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/model/isolators.hh"
#include "common/model/pod_manifest.hh"
#include "stage1/pod_facts.hh"

namespace rocket::stage1
{

struct PodLimits {
    std::vector<std::pair<std::string, std::string>> files; // of the pod's cgroup, and what to write into them
    std::vector<std::string> reports;
};

// `facts`: controllers of the pod's cgroup, disks. Kind::usage for a limit of zero, unsupported for
// what must not be ignored and cannot be done. Pure.
PodLimits pod_limits(const model::Isolators& isolators, const PodFacts& facts);

// The host's whole block devices, "8:0" ..., if the pod or an app of it limits them; limits are per device.
std::vector<std::string> disks_to_limit(const model::PodManifest& pod);

void apply(const PodLimits& limits, const std::string& group);

// "net.ipv4.ip_forward" and "net/ipv4/ip_forward" -> "net/ipv4/ip_forward". Kind::usage for what is not the pod's own
// to set: everything but net.* with a network of its own, message queues, semaphores and shared memory with an IPC
// namespace of its own, and the domain name.
std::map<std::string, std::string> kernel_parameters(const model::Isolators& isolators, bool new_network, bool new_ipc);

} // namespace rocket::stage1
