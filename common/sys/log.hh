// SPDX-License-Identifier: Apache-2.0
// Diagnostics on stderr, one prefix per line group (cli 1.3). Only main functions and command code log; libraries
// throw. Text from outside must be quoted by the caller (text::quoted).
#pragma once

#include <string>
#include <string_view>

#include "common/sys/error.hh"

namespace rocket::log
{

void set_debug(bool on);
bool debug_is_on();
void set_prefix(std::string prefix); // "run", "list", "stage1" ...

void print(std::string_view line); // "PREFIX: LINE\n"
void debug(std::string_view line); // only with --debug
// "PREFIX: [CONTEXT: ]INNERMOST CAUSE", or with --debug the whole tree, and then the hint if there is one.
void error(const Error& error, std::string_view context = {});

template <typename... Arg>
requires(sizeof...(Arg) > 0) void print(fmt::format_string<Arg...> line, Arg&&... arg)
{
    print(std::string_view{fmt::format(line, std::forward<Arg>(arg)...)});
}

template <typename... Arg>
requires(sizeof...(Arg) > 0) void debug(fmt::format_string<Arg...> line, Arg&&... arg)
{
    if (debug_is_on())
        print(std::string_view{fmt::format(line, std::forward<Arg>(arg)...)});
}

// What error() prints, without the prefix: for tests and for writing elsewhere.
std::string describe(const Error& error, std::string_view context, bool whole_tree);

} // namespace rocket::log
