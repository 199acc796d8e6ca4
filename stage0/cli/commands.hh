// SPDX-License-Identifier: Apache-2.0
// One function per command, each defined in a file of its own; main.cc lists them in the order of help.
#pragma once

#include "stage0/cli/command.hh"

namespace rocket::cli
{

Command completion_command();
Command help_command();
Command version_command();

} // namespace rocket::cli
