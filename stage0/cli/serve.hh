// SPDX-License-Identifier: Apache-2.0
// Services are programs of their own, so that `rocket` links nothing of theirs.
#pragma once

#include <string>
#include <vector>

namespace rocket::cli
{

// Becomes that program, in this process, with the sockets that systemd has handed over: it is the unit's main process
// then. Returns only by throwing.
[[noreturn]] void exec_with_sockets(const std::string& program, std::vector<std::string> arguments);
// One of Rocket's own programs, by its name.
[[noreturn]] void exec_service(const std::string& name, std::vector<std::string> arguments);

} // namespace rocket::cli
