// SPDX-License-Identifier: Apache-2.0
// How commands name pods: UUID arguments, or the file that --uuid-file-save has written (cli 6.1).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stage0/cli/command.hh"
#include "stage0/pod/pod.hh"

namespace rocket::cli
{

void declare_uuid_file(FlagSet& flags, std::string& field);

// The content of the file, trimmed; throws "unable to resolve UUID from file: <cause>".
std::string read_uuid_file(const std::string& path);

// The UUIDs a command is to work on: the one in the file, or its arguments. Both or neither: UsageRequested.
std::vector<std::string> uuids_of(const Invocation& invocation, const std::string& uuid_file);

} // namespace rocket::cli
