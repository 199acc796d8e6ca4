// SPDX-License-Identifier: Apache-2.0
// A program of others that works on the host's network: a plugin, iptables. It gets its input as a file and nothing of
// ours, a process group of its own and a time limit (ROCKET_CNI_TIMEOUT, 60 s); what it says has a size limit. Errors:
// Kind::system if it does not end in time, Kind::corrupt if it says too much; then its whole group is killed.
#pragma once

#include <string>
#include <vector>

#include "common/sys/process.hh"

namespace rocket::stage1
{

struct ForeignProgram {
    std::vector<std::string> argv; // argv[0]: absolute path
    std::vector<std::string> env;  // besides PATH
    std::string input;
    int held_fd = -1; // stays open, as number 3, for as long as the program or a child of it lives
};

struct Outcome {
    ExitStatus status;
    std::string output;
    std::string diagnostics;

    // "exit status 3: last line of the diagnostics", printable
    std::string why() const;
};

Outcome run_foreign(const ForeignProgram& program);

} // namespace rocket::stage1
