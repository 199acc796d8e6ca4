// SPDX-License-Identifier: Apache-2.0
#include <systemd/sd-daemon.h>

#include "stage0/cli/commands.hh"
#include "stage0/cli/serve.hh"

namespace rocket::cli
{

namespace
{

using std::chrono::seconds;

struct Options {
    int port = 18112;
    Duration idle = seconds{30};
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("listen-port", options.port, "port at the gateways of pods");
    flags.add("exit-idle-time", options.idle,
              "with a socket from systemd: end when no registered pod has run for so long; 0s: never");
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    if (options.port < 1 || options.port > UINT16_MAX)
        fail(Error::Kind::usage, "--listen-port must be from 1 to 65535");
    if (options.idle < Duration{0} || options.idle > std::chrono::hours{24})
        fail(Error::Kind::usage, "--exit-idle-time must be from 0s to 24h");
    const bool is_activated = ::sd_listen_fds(0) > 0;
    const auto idle = is_activated ? std::chrono::ceil<seconds>(options.idle).count() : 0;
    exec_service("metadata-service",
                 {invocation.context.data_dir(), std::to_string(options.port), std::to_string(idle)});
}

} // namespace

Command metadata_service_command()
{
    return command<Options>(
        {.path = {"metadata-service"},
         .arguments = "",
         .purpose = "run the metadata service",
         .description = "Answers pods that were started with --mds-register: about themselves and their images, and "
                        "signs for them.\nStarted by rocket-metadata.socket when the first of them is; ends when the "
                        "last one has. It listens at\ntheir gateways only, and answers each pod about itself only."},
        declare, run);
}

} // namespace rocket::cli
