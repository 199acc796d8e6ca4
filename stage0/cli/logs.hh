// SPDX-License-Identifier: Apache-2.0
// rocket logs: what apps have written, from the pod's own journal.
#pragma once

#include "stage0/cli/command.hh"

namespace rocket::cli
{

Command logs_command();

} // namespace rocket::cli
