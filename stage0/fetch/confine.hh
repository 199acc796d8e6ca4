// SPDX-License-Identifier: Apache-2.0
// What the downloader gives up before it opens its first connection (R1): root, every capability, every file but those
// that names and certificates are looked up in, every system call that a client does not need. It keeps the host's
// network. What the kernel or a container does not offer (Landlock, namespaces, other user ids) is done without.
#pragma once

#include <string>

namespace rocket::fetch
{

// `certificates`: a directory of the user's that has to stay readable; may be empty.
void confine(const std::string& certificates);

} // namespace rocket::fetch
