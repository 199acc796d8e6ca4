// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/command_json.hh"

#include "stage0/cli/help.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

std::string_view name_of(Flag::Value value)
{
    switch (value) {
    case Flag::Value::boolean:
        return "boolean";
    case Flag::Value::required:
        return "required";
    case Flag::Value::optional:
        return "optional";
    case Flag::Value::lenient:
        return "lenient";
    }
    return {};
}

json::Array options_of(const FlagSet& set)
{
    json::Array options;
    for (const auto* flag : shown_flags(set))
        options.emplace_back(json::Object{{"name", flag->name},
                                          {"shorthand", letter_of(*flag) != 0 ? std::string{letter_of(*flag)} : ""},
                                          {"value", name_of(flag->value)},
                                          {"default", flag->shown_default},
                                          {"help", flag->help}});
    return options;
}

} // namespace

json::Value to_json(CommandTable table, const FlagSet& global)
{
    json::Array commands;
    for (const auto& command : table) {
        if (command.hidden)
            continue;
        commands.emplace_back(json::Object{{"name", command.name()},
                                           {"arguments", command.arguments},
                                           {"purpose", command.purpose},
                                           {"description", command.description},
                                           {"needsRoot", command.needs_root},
                                           {"options", options_of(command.make()->flags)}});
    }
    return json::Object{
        {"version", ROCKET_VERSION}, {"globalOptions", options_of(global)}, {"commands", std::move(commands)}};
}

} // namespace rocket::cli
