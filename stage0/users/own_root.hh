// SPDX-License-Identifier: Apache-2.0
// Root of a user namespace of our own, for whoever is not root: a system unit with User=. Its root is
// the user itself, all other ids are a range that the host gives to nobody else. The range comes from `map-ids`, a
// program of root's behind a socket, which writes the maps and shows the host's images: no process of the unit is ever
// root.
#pragma once

#include <optional>
#include <string>

#include "common/sys/fd.hh"

namespace rocket::users
{

// What the host gives beside the ids.
struct Granted {
    Fd host;                  // where more can be asked for: common/model/own_users.hh
    std::optional<Fd> images; // if the host can: shared_images.hh
};

// Whether the host offers it, to whomever.
bool is_own_root_offered();

// This process, which has one thread, joins a new user namespace and mount namespace and is root there from then on;
// never back. Kind::unsupported with what the host or the unit has to allow.
Granted become_own_root();

// $STATE_DIRECTORY of the unit, the first if there are several; empty: it has none.
std::string state_directory();

} // namespace rocket::users
