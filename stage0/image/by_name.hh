// SPDX-License-Identifier: Apache-2.0
// What a name means in the store (cli 4.1).
#pragma once

#include <optional>

#include "common/model/image_name.hh"
#include "stage0/image/session.hh"

namespace rocket::image
{

// The newest image in the store that the name means on this host and that the session may use; nullopt if there is
// none at all. Kind::untrusted if there are some, and none of them was verified.
std::optional<model::ImageId> find_named(Session& session, const model::ImageName& name);

// "cannot find aci satisfying name: ... in the local store"
Error not_in_store(const model::ImageName& name, std::string hint);

} // namespace rocket::image
