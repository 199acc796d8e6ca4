// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/gc.hh"

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/values.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    pod::GcOptions gc;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("grace-period", options.gc.grace_period, "duration to wait before discarding inactive pods from garbage");
    flags.add("expire-prepared", options.gc.expire_prepared, "duration to wait before expiring prepared pods");
    flags.add("mark-only", options.gc.mark_only,
              "if set to true pods will be moved to the garbage directories but not removed");
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    const auto& context = invocation.context;
    bool failed = false;
    const pod::GcReport report{
        .grace_period = format_duration(options.gc.grace_period),
        .note = [](const std::string& line) { log::print(line); },
        .deleting = [&](const pod::PodId& id) { context.out("Garbage collecting pod {}\n", text::quoted(id.str())); },
        .problem =
            [&](const pod::PodId& id, const Error& error) {
                log::error(error, fmt::format("pod {}", text::quoted(id.str())));
                failed = true;
            },
    };
    pod::collect_garbage(model::Layout{context.data_dir()}, options.gc, report);
    return failed ? exit_failure : 0; // rkt: always 0 (Q7)
}

} // namespace

Command gc_command()
{
    return command<Options>({.path = {"gc"},
                             .arguments = "",
                             .purpose = "garbage collect rocket pods no longer in use",
                             .description =
                                 "Marks pods that have ended, removes those that were marked long enough ago, "
                                 "and tidies up what\nkilled commands have left.",
                             .needs_root = true},
                            declare, run);
}

} // namespace rocket::cli
