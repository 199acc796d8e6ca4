// SPDX-License-Identifier: Apache-2.0
// The system calls of a client of network servers and of a resolver; any other fails. Sockets are of the internet and
// local families, new threads share everything and there are no new processes.
#pragma once

namespace rocket::fetch
{

void allow_client_calls();

} // namespace rocket::fetch
