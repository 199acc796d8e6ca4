// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/commands.hh"
#include "stage0/cli/make_pod.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    PodFlags pod;
    bool quiet = false;
};

void declare(Options& options, FlagSet& flags)
{
    options.pod.declare(flags);
    flags.add("quiet", options.quiet, "no progress of downloads and unpacking; print only the UUID on success");
}

int run(Invocation& invocation, Options& options)
{
    options.pod.app_args.parse(invocation);
    check(options.pod);
    invocation.context.global.quiet = options.quiet;
    const auto pod = make_pod(invocation.context, {options.pod, pod::PodStage::prepared});
    invocation.context.out("{}\n", pod.pod.id().str()); // the only thing ever on stdout, with or without --quiet (Q12)
    return 0;
}

} // namespace

Command prepare_command()
{
    return command<Options>(
        {.path = {"prepare"},
         .arguments = "IMAGE [IMAGE-FLAG...] [-- ARG...] [--- IMAGE [IMAGE-FLAG...] [-- ARG...]]...",
         .purpose = "prepare to run image(s) in a pod in rocket",
         .description = "Does everything that `run` does but starting the pod, and prints its UUID for `run-prepared`.",
         .interspersed = false,
         .needs_root = true},
        declare, run);
}

} // namespace rocket::cli
