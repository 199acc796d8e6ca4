// SPDX-License-Identifier: Apache-2.0
#include <sys/utsname.h>

#include "stage0/cli/commands.hh"

namespace rocket::cli
{

namespace
{

// Wrappers compare the first two labels and want rkt >= 1.27.0 (cli 0, 8.20): they state what we are compatible with.
constexpr std::string_view rkt_version = "1.30.0";
constexpr std::string_view appc_version = "0.8.11";

int run(Invocation& invocation)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    utsname host{};
    ::uname(&host);
    invocation.context.out("rkt Version: {}\n"
                           "appc Version: {}\n"
                           "rocket Version: {}\n"
                           "OS/Arch: linux/{}\n"
                           "Features: -TPM +SDJOURNAL\n",
                           rkt_version, appc_version, ROCKET_VERSION, host.machine);
    return 0;
}

} // namespace

Command version_command()
{
    return command({.path = {"version"}, .arguments = "", .purpose = "print the version and exit", .description = ""},
                   run);
}

} // namespace rocket::cli
