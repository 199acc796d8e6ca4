// SPDX-License-Identifier: Apache-2.0
// Usage texts, made from the command table and the flag declarations (cli 1.2).
#pragma once

#include <string>
#include <vector>

#include "stage0/cli/command.hh"

namespace rocket::cli
{

char letter_of(const Flag& flag); // "-f"; 0: it has none
// What users are told of: neither hidden nor deprecated, by name. As long as `set` lives.
std::vector<const Flag*> shown_flags(const FlagSet& set);
std::string command_help(const Command& command, const FlagSet& local, const FlagSet& global);
// For `rocket` itself (empty path) and for groups of commands.
std::string group_help(CommandTable table, const std::vector<std::string>& path, const FlagSet& global);

} // namespace rocket::cli
