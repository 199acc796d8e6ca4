// SPDX-License-Identifier: Apache-2.0
#include <systemd/sd-daemon.h>

#include "stage0/cli/commands.hh"
#include "stage0/cli/serve.hh"

namespace rocket::cli
{

namespace
{

using std::chrono::seconds;
constexpr const char* default_socket = "unix:///run/rocket/api.sock";

struct Options {
    std::string listen;
    Duration idle = seconds{30};
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("listen", options.listen,
              "unix://PATH, or HOST:PORT, where whoever can connect may ask; by default unix:///run/rocket/api.sock");
    flags.add("exit-idle-time", options.idle,
              "with sockets from systemd: end when nobody was connected for so long; 0s: never");
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    if (options.idle < Duration{0} || options.idle > std::chrono::hours{24})
        fail(Error::Kind::usage, "--exit-idle-time must be from 0s to 24h");
    const auto& context = invocation.context;
    const bool is_activated = ::sd_listen_fds(0) > 0;
    const auto idle = is_activated ? std::chrono::ceil<seconds>(options.idle).count() : 0;
    exec_service("api-service",
                 {options.listen.empty() && !is_activated ? default_socket : options.listen, std::to_string(idle),
                  context.data_dir(), context.global.system_config, context.global.local_config,
                  context.global.user_config, context.global.insecure.names(),
                  context.global.trust_keys_from_https ? "true" : "false"});
}

} // namespace

Command api_service_command()
{
    return command<Options>(
        {.path = {"api-service"},
         .arguments = "[--listen=ADDRESS]",
         .purpose = "run the API service",
         .description =
             "Tells by gRPC, as v1alpha.PublicAPI, what pods and images there are, what happens to them, and "
             "what apps\nhave written. Changes nothing. On a unix socket it answers root and members of the "
             "group rocket only."},
        declare, run);
}

} // namespace rocket::cli
