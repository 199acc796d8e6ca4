// SPDX-License-Identifier: Apache-2.0
#include "common/model/runtime.hh"
#include "common/sys/file.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/start_flags.hh"
#include "stage0/pod/overlay_support.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/pod/remove_pod.hh"

namespace rocket::cli
{

namespace
{

using text::quoted;

struct Options {
    StartFlags start;
};

void declare(Options& options, FlagSet& flags)
{
    options.start.declare(flags);
}

void check_pod(const pod::Pod& pod, const Options& options, const Start& plan)
{
    const auto manifest = model::PodManifest::parse(file::read(pod.fd(), model::pod_dir::manifest));
    if (options.start.interactive && manifest.apps.size() != 1)
        fail(Error::Kind::usage, "interactive option only supports pods with one app");
    check_ports(plan, manifest);
    const auto runtime = model::Runtime::parse(file::read(pod.fd(), model::pod_dir::runtime));
    if (runtime.overlay && pod::overlay_problem(pod.layout().pods()))
        fail(Error::Kind::unsupported, "unable to run prepared overlay-enabled pod: overlay not supported");
}

int run(Invocation& invocation, Options& options)
{
    if (invocation.args.size() != 1)
        throw UsageRequested{};
    const auto plan = check(options.start, invocation.context);
    auto pod = in_context("problem retrieving pod", [&] {
        return pod::find(model::Layout{invocation.context.data_dir()}, invocation.args.front());
    });
    const auto name = quoted(pod.id().str());
    if (pod.state() != pod::State::prepared)
        fail(Error::Kind::usage, "pod {} is not prepared", name);
    check_pod(pod, options, plan);
    auto owned = try_own(std::move(pod)); // never waits: the other starter may be the pod itself by now
    if (!owned || !owned->pod.move_to(pod::PodStage::run))
        fail(Error::Kind::busy, "cannot transition to run: pod {} is in use by another command", name);
    in_context("error setting up stage0", [&] { start(plan, std::move(*owned)); });
    return exit_failure; // start() does not return
}

} // namespace

Command run_prepared_command()
{
    return command<Options>({.path = {"run-prepared"},
                             .arguments = "UUID",
                             .purpose = "run a prepared application pod in rocket",
                             .description = "Starts a pod that `prepare` has made, as `run` would have.",
                             .needs_root = true},
                            declare, run);
}

} // namespace rocket::cli
