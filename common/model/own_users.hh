// SPDX-License-Identifier: Apache-2.0
// What pods of users who are not root say to the host's helper (stage0/users), over a connection of packets: a request,
// some with a descriptor, and for each an answer, `granted` or a cause. The connection begins before the user namespace
// does, and may be held for as long as there is something to ask: stage1 gets it, too.
#pragma once

#include <cstddef>

namespace rocket::model::own_users
{

inline constexpr const char* socket_path = "/run/rocket/users.sock";
inline constexpr const char* descriptor_variable = "ROCKET_USERS_FD"; // for stage1's `run`: the connection

inline constexpr const char* map_request = "map";          // with the user namespace; the answer may have the images
inline constexpr const char* use_request = "use ";         // and an image id
inline constexpr const char* machine_request = "machine "; // and a pod's UUID, with a pidfd of the pod's init
inline constexpr const char* granted = "ok";
inline constexpr std::size_t largest_request = 256;
inline constexpr std::size_t largest_answer = 4096;

} // namespace rocket::model::own_users
