// SPDX-License-Identifier: Apache-2.0
// Which app of a pod a command is about: the one that --app names, or the only one there is (cli 8.11).
#pragma once

#include <string>

#include "stage0/pod/pod.hh"

namespace rocket::cli
{

// Kind::usage if there is no such app, or --app is needed; then the names are printed as "COMMAND: ...".
std::string choose_app(const pod::Pod& pod, const std::string& wanted, const std::string& command);

} // namespace rocket::cli
