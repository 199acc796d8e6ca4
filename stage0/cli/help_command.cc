// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/commands.hh"
#include "stage0/cli/help.hh"

namespace rocket::cli
{

namespace
{

int run(Invocation& invocation)
{
    FlagSet global;
    Context defaults; // help names the defaults, not what this command line has set
    defaults.declare_flags(global);
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
    return command({.path = {"help"},
                    .arguments = "[COMMAND...]",
                    .purpose = "help about any command",
                    .description = "Prints the usage of a command: rocket help image list."},
                   run);
}

} // namespace rocket::cli
