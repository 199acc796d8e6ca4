// SPDX-License-Identifier: Apache-2.0
// Who uses images of the host's store for pods that are elsewhere: processes of users who are not root, whose pods are
// in stores of their own (stage0/users). Kept below /run, a file for each process, which is named by its start time,
// too: a use ends with the process, however that ends.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>

#include "common/model/image_id.hh"
#include "common/model/layout.hh"

namespace rocket::store
{

// By root. The process is alive: it waits for us.
void record_foreign_use(uid_t uid, pid_t pid, const model::ImageId& id);

// Image → whose it is in use by, in words. Empty unless `layout` is the host's.
std::map<model::ImageId, std::string> foreign_uses(const model::Layout& layout);

} // namespace rocket::store
