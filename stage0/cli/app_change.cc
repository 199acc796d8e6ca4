// SPDX-License-Identifier: Apache-2.0
// rocket app start, stop and rm.
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/running_pod.hh"
#include "stage0/pod/mutable_pod.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    std::string app;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("app", options.app, "name of the app");
}

struct Target {
    pod::Pod pod;
    model::AppName app;
};

Target target_of(const Invocation& invocation, const Options& options, const char* doing)
{
    if (invocation.args.size() != 1)
        fail(Error::Kind::usage, "must provide the pod UUID");
    if (options.app.empty())
        fail(Error::Kind::usage, "must provide the app to {}", doing);
    return {pod::find(model::Layout{invocation.context.data_dir()}, invocation.args.front()),
            model::AppName::parse(options.app)};
}

int start(Invocation& invocation, const Options& options)
{
    const auto target = target_of(invocation, options, "start");
    check_is_running(target.pod);
    in_context("error starting app", [&] { pod::start_app(target.pod, target.app); });
    return 0;
}

int stop(Invocation& invocation, const Options& options)
{
    const auto target = target_of(invocation, options, "stop");
    if (has_ended(target.pod.state())) {
        invocation.context.out("pod {} is already stopped\n", text::quoted(target.pod.id().str()));
        return 0;
    }
    check_is_running(target.pod);
    in_context("error stopping app", [&] { pod::stop_app(target.pod, target.app); });
    return 0;
}

int remove(Invocation& invocation, const Options& options)
{
    const auto target = target_of(invocation, options, "remove");
    if (!has_ended(target.pod.state()))
        check_is_running(target.pod);
    in_context("error removing app", [&] { pod::MutablePod{target.pod, {}}.remove(target.app); });
    return 0;
}

Command about_one_app(const char* verb, std::string purpose, std::string description,
                      int (*run)(Invocation&, const Options&))
{
    return command<Options>({.path = {"app", verb},
                             .arguments = "--app=NAME UUID",
                             .purpose = std::move(purpose),
                             .description = std::move(description),
                             .needs_root = true},
                            declare, run);
}

} // namespace

Command app_start_command()
{
    return about_one_app("start", "start an app that was added to a pod",
                         "Starts the app, or starts it again, and waits until it runs.", start);
}

Command app_stop_command()
{
    return about_one_app("stop", "stop an app of a pod",
                         "Asks the app to end (SIGTERM), kills it after 10 seconds, and waits until it has ended.",
                         stop);
}

Command app_rm_command()
{
    return about_one_app("rm", "remove an app from a pod",
                         "Stops the app if it runs, and removes it with everything it has written. Works on pods that "
                         "have ended, too.",
                         remove);
}

} // namespace rocket::cli
