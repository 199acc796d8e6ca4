// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/commands.hh"
#include "stage0/cli/make_pod.hh"
#include "stage0/cli/start_flags.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    PodFlags pod;
    StartFlags start;
};

void declare(Options& options, FlagSet& flags)
{
    options.pod.declare(flags);
    options.start.declare(flags);
}

int run(Invocation& invocation, Options& options)
{
    options.pod.app_args.parse(invocation);
    check(options.pod);
    if (options.start.interactive && options.pod.app_args.apps.size() > 1)
        fail(Error::Kind::usage, "interactive option only supports one image");
    const auto plan = check(options.start, invocation.context);
    if (!options.pod.ports.empty() && !plan.network.is_private()) // before any work; check_ports() sees manifests, too
        fail(Error::Kind::usage, "--port flag does not work with '{}' networking",
             plan.network.kind == net::Selection::Kind::host ? "host" : "none");
    auto pod = make_pod(invocation.context, {options.pod, pod::PodStage::run, options.start.interactive,
                                             [&](const model::PodManifest& manifest) { check_ports(plan, manifest); }});
    in_context("error setting up stage0", [&] { start(plan, std::move(pod)); });
    return exit_failure; // start() does not return
}

} // namespace

Command run_command()
{
    return command<Options>(
        {.path = {"run"},
         .arguments = "IMAGE [IMAGE-FLAG...] [-- ARG...] [--- IMAGE [IMAGE-FLAG...] [-- ARG...]]...",
         .purpose = "run image(s) in a pod in rocket",
         .description = "Makes a pod of images and becomes its supervisor: this process ends when the pod does, with "
                        "its status.\nImages are files, names, or image ids. Flags about an image follow it. Arguments "
                        "for its app stand\nbetween -- and --- (or the end); a literal --- is written \\---.",
         .interspersed = false,
         .needs_root = true},
        declare, run);
}

} // namespace rocket::cli
