// SPDX-License-Identifier: Apache-2.0
// The command line of a unit that runs a pod, read as `rocket` would read it. Errors: Kind::usage for a line that does
// something else, or that only the unit itself can understand.
#pragma once

#include "stage0/cli/command.hh"
#include "stage0/image/request.hh"

namespace rocket::cli
{

// The images of "[/usr/bin/]rocket [FLAG...] run [FLAG...] IMAGE...", in the order of the apps; with the signatures and
// the pull policy that it names. `context` gets the line's global flags.
std::vector<image::Request> images_of_run_line(CommandTable table, const Words& argv, Context& context);

} // namespace rocket::cli
