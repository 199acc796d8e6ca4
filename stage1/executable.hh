// SPDX-License-Identifier: Apache-2.0
// Finding what an app executes, as execvp(3) would inside the app's root and as the app's user (APP-4..6), and saying
// why it cannot be executed: not there, not a regular file, no permission, an interpreter that is missing. Files are
// looked at with bounds on everything: they are an image's.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/sys/path.hh"

namespace rocket::stage1
{

struct Identity {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
    std::uint32_t first_id = 0; // what the pod's id 0 is to whoever looks at its files
};

struct Executable {
    std::string path;    // absolute inside the root; where nothing was found: what was looked for
    std::string problem; // why it cannot be executed; empty: it can
    bool exists = false;
};

struct Search {
    std::string path;              // value of PATH
    std::string working_directory; // absolute; empty elements of PATH and relative names are relative to it
    Identity who;
};

Executable find_executable(const InRoot& root, const std::string& file, const Search& search);

// By the mode bits; the superuser needs any of the three.
bool may_execute(const struct stat& info, const Identity& who);
// "#!/usr/bin/env -S x\n..." -> "/usr/bin/env"; empty if there is none, or its line is longer than the kernel reads.
std::string script_interpreter(std::string_view head);

} // namespace rocket::stage1
