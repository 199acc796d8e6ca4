// SPDX-License-Identifier: Apache-2.0
// What a pod can leave on the host when its supervisor was killed: cgroups, and the link to its journal. Mounts,
// network and processes went with the pod's namespaces. Only what is the pod's by its name is taken away; missing is
// fine.
#pragma once

#include <string>

#include "common/model/names.hh"

namespace rocket::stage1
{

// Kills what still lives in the pod's cgroup, if the group can only be this pod's, and removes the group unless it is
// in use. Throws Kind::busy if something in it does not die.
void remove_cgroup(int pod_dir, const model::PodId& id);
// /var/log/journal/MACHINE-ID, if it is a link.
void remove_journal_link(const model::PodId& id, const std::string& host_journal = "/var/log/journal");

// Whether the name of a cgroup says which pod it is of: machine-rkt\x2d....scope. "UNIT/payload" does not: the next pod
// of the same unit has the same.
bool is_named_after(const std::string& group, const model::PodId& id);

} // namespace rocket::stage1
