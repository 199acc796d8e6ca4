// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/arguments.hh"

#include <algorithm>

#include "common/sys/text.hh"

namespace rocket::stage1
{

std::string argument(const std::string& args, std::string_view name)
{
    for (const auto& word : text::split(args, ';'))
        if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=')
            return word.substr(name.size() + 1);
    return {};
}

std::string plugin_arguments(const std::string& args)
{
    const bool are_checked = !args.empty() && std::ranges::all_of(text::split(args, ';'), [](const auto& word) {
        return word.starts_with("IP=") || word.starts_with("MAC=");
    });
    return are_checked ? "IgnoreUnknown=1;" + args : args;
}

} // namespace rocket::stage1
