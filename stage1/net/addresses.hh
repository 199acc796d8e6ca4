// SPDX-License-Identifier: Apache-2.0
// IPv6 addresses that plugins gave to the host's ends of links. The kernel looks for others with the same address
// first, for 1.6 s, and a pod cannot reach its gateway meanwhile. On a link that only we have made there is nobody
// else.
#pragma once

#include <string>
#include <vector>

namespace rocket::stage1
{

// Global addresses of these interfaces that are still being looked for are given again, as known to be unique.
void settle_addresses(const std::vector<std::string>& interfaces);

} // namespace rocket::stage1
