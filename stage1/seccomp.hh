// SPDX-License-Identifier: Apache-2.0
// From seccomp isolators to a policy, and from a policy to what the kernel runs (SEC-1..13). Nothing here fails open:
// an unknown set is an error, a retain set of unknown names allows nothing but the life cycle.
//
// The default policy is an allow list, made of three layers because libseccomp needs 3 ms in PID 1's child to compile
// the list itself: (1) the pod filter, inherited from PID 1, refuses every call number that did not exist when
// the list was made; (2) the unit refuses, by name, the older calls that are not on the list; (3) argument rules:
// socket families, no new namespaces, no change of personality. Together they allow exactly the list.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/isolators.hh"
#include "stage1/app_spec.hh"

namespace rocket::stage1
{

SeccompPolicy default_seccomp_policy(std::uint64_t bounding_set);
// Throws Error (usage) for sets that do not exist or make no sense here (SEC-10). What is ignored goes to `reports`.
SeccompPolicy seccomp_policy(const model::SeccompSet& isolator, std::uint64_t bounding_set,
                             std::vector<std::string>& reports);

bool is_known_syscall(const std::string& name); // on any architecture
// Names in the default policy that fail with ENOSYS rather than EPERM, so that libraries take their older way.
bool is_better_unimplemented(const std::string& syscall);
bool allows(const SeccompPolicy& policy, const std::string& syscall); // whatever its arguments
// Socket families of the default policy: AF_UNIX ...
const std::vector<std::string>& default_address_families();
bool restricts_namespaces(const SeccompPolicy& policy, std::uint64_t bounding_set);

using BpfProgram = std::vector<sock_filter>;
// Layer 1. For PID 1 of a pod in which any app has the default policy; install it last before exec.
BpfProgram pod_filter();
bool needs_pod_filter(const std::vector<AppSpec>& apps);
// All that an app's processes have, in the order of installation; empty if the policy is off. For `enter`.
std::vector<BpfProgram> enter_filters(const SeccompPolicy& policy, std::uint64_t bounding_set);
// Needs CAP_SYS_ADMIN or no_new_privs.
void install_filter(const BpfProgram& program);

} // namespace rocket::stage1
