// SPDX-License-Identifier: Apache-2.0
// Files of environment variables (cli 7.4). Errors: Kind::usage.
#pragma once

#include <string>

#include "common/model/app.hh"

namespace rocket::cli
{

// One NAME=VALUE per line, verbatim; empty lines and comments are skipped. What the file says is added to
// `environment`, which must not have any of the names.
void read_environment_file(const std::string& path, model::Environment& environment);

} // namespace rocket::cli
