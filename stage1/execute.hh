// SPDX-License-Identifier: Apache-2.0
// The last steps of a process that PID 1 did not start, from root of the host to a program of the app: for `enter`, and
// for everything of a fly pod (R8). The caller is in the app's namespaces and root already, in its cgroup, with the
// descriptors 0-2 as the program is to have them.
#pragma once

#include <string>
#include <vector>

#include "common/sys/error.hh"
#include "stage1/enter/credentials.hh"

namespace rocket::stage1
{

struct Program {
    std::string path; // absolute in the app's root
    std::vector<std::string> argv;
    std::vector<std::string> env; // NAME=VALUE, exact
    std::string working_directory;
    Credentials credentials;
};

// What execve(2) said.
struct ExecError : Error {
    explicit ExecError(const Error& error) : Error{error} {}
};

// Takes on the credentials and security labels, goes to the directory, closes all descriptors but 0-2 when the program
// is executed; it is killed when our parent dies. Throws what failed, ExecError if that was execve(2): the process can
// do nothing more then but to say so and end.
[[noreturn]] void execute(const Program& program);

// The caller's keys are not the pod's. Without keys in the kernel there is nothing to do.
void leave_session_keyring();

} // namespace rocket::stage1
