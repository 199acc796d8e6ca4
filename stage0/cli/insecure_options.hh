// SPDX-License-Identifier: Apache-2.0
// --insecure-options: the security features a user has switched off, one field each (cli 2.1).
#pragma once

#include <string>
#include <string_view>

namespace rocket::cli
{

struct InsecureOptions {
    bool image = false;        // image signature checks
    bool tls = false;          // certificate and host-name checks
    bool http = false;         // falling back from https to http
    bool pubkey = false;       // key discovery over weakened connections
    bool capabilities = false; // apps get all capabilities
    bool paths = false;        // hidden and read-only paths, device policy
    bool seccomp = false;      // seccomp filters

    // Comma list, case-insensitive, empty means "none". Throws Error{usage}: unknown option "x", duplicated option "x".
    static InsecureOptions parse(std::string_view list);
    std::string names() const; // the same as a list of the single ones, "none" if there are none
};

} // namespace rocket::cli
