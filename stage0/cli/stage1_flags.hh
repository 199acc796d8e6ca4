// SPDX-License-Identifier: Apache-2.0
// --stage1-url, -path, -name, -hash and -from-dir: which stage1 a pod is to run on (cli 5). At most one of them.
#pragma once

#include <string>

#include "stage0/cli/flags.hh"

namespace rocket::cli
{

struct Stage1Flags {
    enum class Kind { none, url, path, name, hash, from_dir };
    Kind kind = Kind::none;
    std::string value;

    void declare(FlagSet& flags);

private:
    std::string used_; // the flag that was given
};

} // namespace rocket::cli
