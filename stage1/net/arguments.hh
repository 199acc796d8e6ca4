// SPDX-License-Identifier: Apache-2.0
// What follows a network's name in --net=NAME:K=V;K=V. Plugins get it as CNI_ARGS.
#pragma once

#include <string>
#include <string_view>

namespace rocket::stage1
{

// The value of argument `name`, "" if it is not among `args`.
std::string argument(const std::string& args, std::string_view name);

// CNI_ARGS. By the convention of CNI a plugin refuses what it does not know, so bridge refuses an IP, which is for its
// IPAM, and the IPAM a MAC. Where these two are all that is asked for, each plugin may pass over the one that is not
// its own: that both are there in the end is looked at (demands.hh).
std::string plugin_arguments(const std::string& args);

} // namespace rocket::stage1
