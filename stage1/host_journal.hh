// SPDX-License-Identifier: Apache-2.0
// The pod's journal as part of the host's: a link in /var/log/journal, so that `journalctl -M` finds it while the pod
// runs, and `journalctl -m` afterwards (cli 9.4). The gc entry point takes it away again.
#pragma once

#include <string>

#include "common/model/names.hh"
#include "stage1/pod.hh"

namespace rocket::stage1
{

// Who may look at the pod, by the group of its directory, may read its journal, too.
void share_journal_with_group(const Pod& pod);

std::string machine_id(const model::PodId& id); // the UUID without dashes
// A host that keeps no journal on disk gets no link. What fails is a warning.
void link_into_host_journal(const Pod& pod);

} // namespace rocket::stage1
