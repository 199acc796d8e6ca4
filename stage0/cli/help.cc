// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/help.hh"

#include <algorithm>

#include "common/sys/text.hh"
#include "stage0/cli/table.hh"

namespace rocket::cli
{

namespace
{

struct Group {
    std::string_view name, purpose;
};

constexpr Group groups[] = {{"image", "operations on images in the store"}};
constexpr std::string_view root_purpose = "the application container runner";

void add_section(std::string& out, std::string_view heading, const std::string& body)
{
    if (!out.empty())
        out += '\n';
    out += fmt::format("{}:\n{}", heading, body);
}

std::string indented(std::string_view text)
{
    std::string out;
    for (const auto& line : text::split(text, '\n'))
        out += line.empty() ? "\n" : fmt::format("\t{}\n", line);
    return out;
}

std::string flag_name(const Flag& flag)
{
    const bool bracketed = flag.value == Flag::Value::boolean || flag.value == Flag::Value::optional;
    const auto value = fmt::format(fmt::runtime(bracketed ? "[={}]" : "={}"), flag.shown_default);
    const char letter = letter_of(flag);
    return fmt::format("{}--{}{}", letter != 0 ? fmt::format("  -{}, ", letter) : "      ", flag.name, value);
}

void add_flags(std::string& out, std::string_view heading, const FlagSet& set)
{
    const auto shown = shown_flags(set);
    if (shown.empty())
        return;
    std::vector<Row> rows;
    for (const auto* flag : shown)
        rows.push_back({flag_name(*flag), flag->help});
    add_section(out, heading, layout(rows));
}

std::string command_list(CommandTable table, const std::vector<std::string>& prefix)
{
    std::vector<Row> rows;
    for (const auto& command : table)
        if (!command.hidden && command.path.size() > prefix.size() &&
            std::equal(prefix.begin(), prefix.end(), command.path.begin()))
            rows.push_back({"\t" + command.name(), command.purpose});
    return layout(rows);
}

} // namespace

char letter_of(const Flag& flag)
{
    return flag.name == "help" ? 'h' : flag.shorthand;
}

std::vector<const Flag*> shown_flags(const FlagSet& set)
{
    std::vector<const Flag*> shown;
    for (const auto& flag : set.all())
        if (!flag.hidden && flag.deprecated.empty())
            shown.push_back(&flag);
    std::ranges::sort(shown, {}, &Flag::name);
    return shown;
}

std::string command_help(const Command& command, const FlagSet& local, const FlagSet& global)
{
    std::string out;
    add_section(out, "NAME", indented(fmt::format("{} - {}", command.name(), command.purpose)));
    add_section(out, "USAGE",
                indented(fmt::format("rocket {}{}{}", command.name(), command.arguments.empty() ? "" : " ",
                                     command.arguments)));
    if (!command.description.empty())
        add_section(out, "DESCRIPTION", indented(command.description));
    add_flags(out, "OPTIONS", local);
    add_flags(out, "GLOBAL OPTIONS", global);
    return out;
}

std::string group_help(CommandTable table, const std::vector<std::string>& path, const FlagSet& global)
{
    const auto name = fmt::format("{}", fmt::join(path, " "));
    std::string out;
    if (path.empty()) {
        add_section(out, "NAME", indented(fmt::format("rocket - {}", root_purpose)));
        add_section(out, "USAGE", indented("rocket [command]"));
        add_section(out, "VERSION", indented(ROCKET_VERSION));
    } else {
        const auto group = std::ranges::find(groups, path.front(), &Group::name);
        const auto purpose = group == std::end(groups) ? std::string_view{"a group of commands"} : group->purpose;
        add_section(out, "NAME", indented(fmt::format("{} - {}", name, purpose)));
        add_section(out, "USAGE", indented(fmt::format("rocket {} [command]", name)));
    }
    add_section(out, "COMMANDS", command_list(table, path));
    if (path.empty())
        add_section(
            out, "DESCRIPTION",
            indented("Fetches, verifies and keeps images of application containers, and runs them as pods: process\n"
                     "trees that systemd supervises, inside and out. There is no daemon."));
    add_flags(out, "GLOBAL OPTIONS", global);
    return out;
}

} // namespace rocket::cli
