// SPDX-License-Identifier: Apache-2.0
// The command table as JSON (`rocket help --format=json`): what --help says, for programs. dist/build-man makes the
// manual pages of it, so that they cannot fall behind.
//
//   {"version": "0.1.0", "globalOptions": [OPTION...],
//    "commands": [{"name": "image list", "arguments", "purpose", "description", "needsRoot", "options":
//    [OPTION...]}...]}
//   OPTION: {"name": "follow", "shorthand": "f" or "", "value": "boolean|required|optional|lenient" (see Flag::Value),
//   "default", "help"}
//
// Without what is hidden or deprecated; options are in the order of their names.
#pragma once

#include "common/model/json.hh"
#include "stage0/cli/command.hh"

namespace rocket::cli
{

model::json::Value to_json(CommandTable table, const FlagSet& global);

} // namespace rocket::cli
