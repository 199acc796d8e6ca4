// SPDX-License-Identifier: Apache-2.0
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/uuid_args.hh"
#include "stage0/pod/stage1_call.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool force = false;
    std::string uuid_file;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("force", options.force, "forced stopping: kill the pod");
    declare_uuid_file(flags, options.uuid_file);
}

bool stop(const Context& context, const std::string& uuid, bool force)
{
    try {
        const auto pod = pod::find_to_end(model::Layout{context.data_dir()}, uuid);
        const auto name = text::quoted(pod.id().str());
        if (has_ended(pod.state())) {
            context.out("pod {} is already stopped\n", name);
            return true;
        }
        if (pod.state() != pod::State::running) {
            log::print("pod {} is not running", name);
            return false;
        }
        const auto status =
            call_stage1(pod, "stop", force ? std::vector<std::string>{"--force"} : std::vector<std::string>{});
        if (!status.ok()) {
            log::print("error stopping {}: stage1 failed with status {}", name, status.shell_status());
            return false;
        }
        context.out("{}\n", name);
        return true;
    } catch (const Error& error) {
        log::error(error, "cannot get pod");
        return false;
    }
}

int run(Invocation& invocation, const Options& options)
{
    std::vector<std::string> uuids;
    try {
        uuids = uuids_of(invocation, options.uuid_file);
    } catch (const CommandError& error) {
        log::error(error, error.context);
        return 1; // documented for status and stop (cli 1.4)
    }
    std::size_t failures = 0;
    for (const auto& uuid : uuids)
        failures += stop(invocation.context, uuid, options.force) ? 0 : 1;
    if (failures > 0)
        log::print("failed to stop {} pod(s)", failures);
    return failures > 0 ? exit_failure : 0;
}

} // namespace

Command stop_command()
{
    return command<Options>({.path = {"stop"},
                             .arguments = "--uuid-file=FILE | UUID...",
                             .purpose = "stop a pod",
                             .description =
                                 "Asks the pod's supervisor to end the apps in an orderly way, or kills it with "
                                 "--force, and does not\nwait: `rocket status --wait` does.",
                             .needs_root = true},
                            declare, run);
}

} // namespace rocket::cli
