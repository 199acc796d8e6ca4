// SPDX-License-Identifier: Apache-2.0
// The command line of the stage1 `enter` entry point:
//   enter --pid=PID1 --appname=APP [--user=USER] [--group=GROUP] [--as-root] [--cwd=DIR]
//         [--env=NAME=VALUE]... -- COMMAND [ARG]...
// Errors: Kind::usage.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "common/model/app.hh"
#include "common/model/names.hh"

namespace rocket::stage1
{

struct EnterOptions {
    pid_t pod_init = 0; // the pod's PID 1, as the host numbers it
    model::AppName app;
    std::string user;  // as in a manifest (USR-1..4); empty: the app's
    std::string group; // the same; empty: the app's, or 0 for user 0
    std::string working_directory = "/";
    model::Environment environment = {}; // on top of the app's
    std::vector<std::string> command;
};

EnterOptions parse_enter_options(std::span<const char* const> words); // without argv[0]

} // namespace rocket::stage1
