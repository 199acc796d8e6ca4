// SPDX-License-Identifier: Apache-2.0
#include "stage1/environment.hh"

#include <algorithm>

namespace rocket::stage1
{

namespace
{

// For names nobody sets (cli 7.4); those of a login, whoever the app's user is.
constexpr std::pair<const char*, const char*> defaults[] = {
    {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
    {"SHELL", "/bin/sh"},
    {"USER", "root"},
    {"LOGNAME", "root"},
    {"HOME", "/root"},
};

} // namespace

bool is_reserved_variable(std::string_view name) noexcept
{
    return name == "AC_APP_NAME" || name == "AC_METADATA_URL" || name == "container";
}

std::vector<EnvVar> app_environment(const model::Environment& own, std::string_view app, const PodFacts& facts)
{
    std::vector<EnvVar> all;
    for (const auto& variable : own)
        if (!is_reserved_variable(variable.name))
            all.push_back({variable.name, variable.value});
    const auto add_missing = [&](std::string_view name, std::string_view value) {
        if (find_variable(all, name) == nullptr)
            all.push_back({std::string{name}, std::string{value}});
    };
    for (const auto& [name, value] : defaults)
        add_missing(name, value);
    if (facts.terminals.contains(std::string{app}))
        add_missing("TERM", facts.term.empty() ? "vt100" : facts.term);
    all.push_back({"AC_APP_NAME", std::string{app}});
    all.push_back({"container", "rocket"});
    if (!facts.metadata_url.empty())
        all.push_back({"AC_METADATA_URL", facts.metadata_url});
    return all;
}

const std::string* find_variable(const std::vector<EnvVar>& environment, std::string_view name) noexcept
{
    const auto found = std::find_if(environment.begin(), environment.end(),
                                    [&](const EnvVar& variable) { return variable.name == name; });
    return found == environment.end() ? nullptr : &found->value;
}

} // namespace rocket::stage1
