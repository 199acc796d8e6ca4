// SPDX-License-Identifier: Apache-2.0
// One configuration file, by its kind (cli 3.2-3.5): checked and added to what its directory has said so far.
// Errors: Kind::corrupt, without the name of the file; the caller adds it.
#pragma once

#include <span>
#include <string_view>

#include "common/model/json_object.hh"
#include "stage0/config/config.hh"

namespace rocket::config
{

struct KindOfFile {
    std::string_view kind;
    std::string_view version;
    void (*add)(model::json::Fields& file, Config& directory);
};

std::span<const KindOfFile> known_kinds();

} // namespace rocket::config
