// SPDX-License-Identifier: Apache-2.0
// One call of a CNI plugin, by the CNI specification's section 2: parameters in CNI_* variables and nothing else but
// PATH in the environment, configuration on stdin, result on stdout, errors as JSON on stdout with an exit status. The
// plugin is a program of others (foreign_program.hh). Errors: Kind::system with what the plugin said; Kind::corrupt if
// that is not JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/model/json.hh"
#include "common/sys/error.hh"

namespace rocket::stage1
{

struct PluginCall {
    std::string command; // ADD, CHECK, DEL
    std::string path;    // of the plugin
    std::string container_id;
    std::string netns; // may be empty in a DEL: the namespace is gone
    std::string interface;
    std::string args;        // CNI_ARGS
    std::string search_path; // CNI_PATH: the plugins it calls itself (IPAM)
    std::string input;       // JSON
    int held_fd = -1;        // stays open, as number 3, for as long as the plugin or a child of it lives
};

// The plugin ended by itself and said why, as it should: it has left nothing behind.
struct Refusal : Error {
    using Error::Error;
};

// What it printed; nullopt if nothing, and for CHECK and DEL, which have no result.
std::optional<model::json::Value> call(const PluginCall& call);

} // namespace rocket::stage1
