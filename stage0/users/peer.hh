// SPDX-License-Identifier: Apache-2.0
// One connection of the host's helper for pods of other users. Trusts nothing that it is told: the kernel says who the
// peer is, whose the namespace is and which process is in it.
#pragma once

#include <sys/socket.h>

#include "common/model/layout.hh"

namespace rocket::users
{

ucred credentials_of(int socket); // of whoever connected

// Answers what the peer asks for until it has no more to ask. The one who is refused is told why, and that ends it:
// throws. `layout` is the host's.
void serve_peer(int socket, const model::Layout& layout);

} // namespace rocket::users
