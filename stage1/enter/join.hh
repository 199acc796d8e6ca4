// SPDX-License-Identifier: Apache-2.0
// The way into a pod: a child born in the app's cgroup joins all its namespaces and its root, gives up everything of
// the host, and only then has the child that appears in the pod's process tree and executes the command. Until that
// exec nothing of the image is executed and no descriptor of the host is open but the standard three.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/sys/process.hh"
#include "stage1/enter/credentials.hh"
#include "stage1/enter/target.hh"

namespace rocket::stage1
{

struct EnterCommand {
    std::string path; // absolute in the app's root
    std::vector<std::string> argv;
    std::vector<std::string> env; // NAME=VALUE
    std::string working_directory;
    Credentials credentials;
    bool wants_terminal = false; // those of 0-2 that are terminals are replaced by one of the pod's
};

struct Entered {
    Process process; // the command, a child of ours
    Fd terminal;     // master of its terminal, if it has one
};

// Returns when the command has been executed; throws what went wrong in the children before.
Entered enter(const Target& target, const EnterCommand& command);

} // namespace rocket::stage1
