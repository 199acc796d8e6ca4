// SPDX-License-Identifier: Apache-2.0
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/uuid_args.hh"
#include "stage0/pod/new_pod.hh"
#include "stage0/pod/remove_pod.hh"

namespace rocket::cli
{

namespace
{

using pod::Pod;
using pod::State;
using text::quoted;

struct Options {
    std::string uuid_file;
};

void declare(Options& options, FlagSet& flags)
{
    declare_uuid_file(flags, options.uuid_file);
}

void refuse_if_in_use(const Pod& pod)
{
    const auto refuse = [&](const char* why) { fail(Error::Kind::busy, "pod {} is {}", quoted(pod.id().str()), why); };
    if (pod.state() == State::running)
        refuse("currently running");
    if (pod.state() == State::preparing)
        refuse("being prepared");
    if (pod.state() == State::exited_deleting || pod.state() == State::deleting)
        refuse("being deleted");
}

void announce(const Pod& pod)
{
    if (pod.state() == State::prepared)
        log::print("moving expired prepared pod {} to garbage", quoted(pod.id().str()));
    if (pod.state() == State::aborted_prepare)
        log::print("moving failed prepare {} to garbage", quoted(pod.id().str()));
}

void remove(const Context& context, const std::string& uuid)
{
    auto found = pod::find_to_end(model::Layout{context.data_dir()}, uuid);
    const auto id = found.id();
    refuse_if_in_use(found);
    auto owned = try_own(std::move(found));
    if (!owned)
        fail(Error::Kind::busy, "pod {} is in use by another command", quoted(id.str()));
    announce(owned->pod);
    remove_owned(std::move(*owned), [](const Error& warning) { log::error(warning); });
    context.out("{}\n", quoted(id.str()));
}

int run(Invocation& invocation, const Options& options)
{
    bool failed = false;
    for (const auto& uuid : uuids_of(invocation, options.uuid_file)) {
        try {
            remove(invocation.context, uuid);
        } catch (const Error& error) {
            log::error(error);
            failed = true;
        }
    }
    if (failed)
        log::print("failed to remove one or more pods");
    return failed ? exit_failure : 0;
}

} // namespace

Command rm_command()
{
    return command<Options>(
        {.path = {"rm"},
         .arguments = "--uuid-file=FILE | UUID...",
         .purpose = "remove all files and resources associated with an exited pod",
         .description = "Removes pods that have ended, or never ran, without the grace period of gc.",
         .needs_root = true},
        declare, run);
}

} // namespace rocket::cli
