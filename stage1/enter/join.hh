// SPDX-License-Identifier: Apache-2.0
// The way into a pod: a child born in the app's cgroup joins all its namespaces and its root, gives up everything of
// the host, and only then has the child that appears in the pod's process tree and executes the command. Until that
// exec nothing of the image is executed and no descriptor of the host is open but the standard three.
#pragma once

#include "common/sys/process.hh"
#include "stage1/enter/target.hh"
#include "stage1/execute.hh"

namespace rocket::stage1
{

struct EnterCommand {
    Program program;
    bool wants_terminal = false; // those of 0-2 that are terminals are replaced by one of the pod's
};

struct Entered {
    Process process; // the command, a child of ours
    Fd terminal;     // master of its terminal, if it has one
};

// Returns when the command has been executed; throws what went wrong in the children before.
Entered enter(const Target& target, const EnterCommand& command);

} // namespace rocket::stage1
