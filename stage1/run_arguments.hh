// SPDX-License-Identifier: Apache-2.0
// The command line of the `run` entry point, as stage0 writes it (interface version 7). What a pod asks for and this
// stage1 does not have is refused, never ignored. Errors: Kind::usage, Kind::unsupported.
#pragma once

#include <span>

#include "common/model/names.hh"
#include "stage1/options.hh"

namespace rocket::stage1
{

struct RunArguments {
    RunOptions options;
    model::PodId id;
};

RunArguments parse_run_arguments(std::span<const char* const> words); // without argv[0]

} // namespace rocket::stage1
