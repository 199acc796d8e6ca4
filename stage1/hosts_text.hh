// SPDX-License-Identifier: Apache-2.0
// /etc/hosts of a pod whose image has none, or that knows other pods by name (internals 10.7).
#pragma once

#include <string>

#include <fmt/format.h>

namespace rocket::stage1
{

inline constexpr const char* fallback_hosts =
    "127.0.0.1\tlocalhost localhost.domain localhost4 localhost4.localdomain4\n"
    "::1\tip6-localhost ip6-loopback localhost6 localhost6.localdomain6\n"
    "fe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n"
    "ff02::3\tip6-allhosts\n";

inline std::string hosts_of(const std::string& hostname)
{
    return fallback_hosts + fmt::format("127.0.0.1\t{}\n", hostname);
}

} // namespace rocket::stage1
