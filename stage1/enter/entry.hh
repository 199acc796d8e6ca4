// SPDX-License-Identifier: Apache-2.0
// The stage1 entry point `enter`, whatever the flavour: runs a command as part of a running app, with no more rights
// than the app has. The working directory is the pod directory. Exits with the command's status, or dies of the signal
// it died of.
#pragma once

#include "stage1/enter/target.hh"

namespace rocket::stage1
{

// How a flavour finds the process that the entering one is to resemble. `pod` is the pod directory.
using FindTarget = Target (*)(int pod, const EnterOptions& options);

int enter_main(int argc, char** argv, FindTarget find_target);

} // namespace rocket::stage1
