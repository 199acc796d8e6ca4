// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"
#include "stage0/cli/command_json.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/help.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    std::string format;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("format", options.format,
              "'json' or 'json-pretty': every command with its flags, from which manual pages are made");
}

int print_json(Invocation& invocation, const FlagSet& global, const std::string& format)
{
    if (format != "json" && format != "json-pretty")
        fail(Error::Kind::usage, "invalid format {}: it is 'json' or 'json-pretty'", text::quoted(format));
    if (!invocation.args.empty())
        fail(Error::Kind::usage, "--format is for all commands at once: do not name one");
    const auto style = format == "json" ? model::json::Style::compact : model::json::Style::tabs;
    invocation.context.out("{}\n", model::json::write(to_json(invocation.table, global), style));
    return 0;
}

int run(Invocation& invocation, const Options& options)
{
    FlagSet global;
    Context defaults; // help names the defaults, not what this command line has set
    defaults.declare_flags(global);
    if (!options.format.empty())
        return print_json(invocation, global, options.format);
    std::vector<std::string> path;
    for (const auto& word : invocation.args) {
        const auto name = resolve_word(invocation.table, path, word);
        if (name.empty()) {
            fmt::print(stderr, "Unknown help topic [`{}`].", fmt::join(invocation.args, " "));
            invocation.context.out("{}", group_help(invocation.table, {}, global));
            return exit_failure; // rkt: 0, which hides a typing error from scripts (Q5)
        }
        path.push_back(name);
    }
    const auto* command = find_command(invocation.table, path);
    invocation.context.out("{}", command ? command_help(*command, command->make()->flags, global)
                                         : group_help(invocation.table, path, global));
    return 0;
}

} // namespace

Command help_command()
{
    return command<Options>({.path = {"help"},
                             .arguments = "[COMMAND...]",
                             .purpose = "help about any command",
                             .description = "Prints the usage of a command: rocket help image list."},
                            declare, run);
}

} // namespace rocket::cli
