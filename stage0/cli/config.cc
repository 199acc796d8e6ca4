// SPDX-License-Identifier: Apache-2.0
#include "stage0/config/config.hh"
#include "stage0/cli/commands.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool pretty_print = true;
    bool show_secrets = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("pretty-print", options.pretty_print, "apply indent to format the output");
    flags.add("show-secrets", options.show_secrets, "print passwords and tokens in clear");
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    const auto secrets = options.show_secrets ? config::Secrets::shown : config::Secrets::hidden;
    invocation.context.out("{}\n", config::to_json(invocation.context.config(), secrets, options.pretty_print));
    return 0;
}

} // namespace

Command config_command()
{
    return command<Options>({.path = {"config"},
                             .arguments = "[--pretty-print=BOOL] [--show-secrets]",
                             .purpose = "print the configuration of all directories, merged",
                             .description =
                                 "Each entry is a valid configuration file. Built-in defaults are not shown, and "
                                 "passwords and tokens\nonly with --show-secrets."},
                            declare, run);
}

} // namespace rocket::cli
