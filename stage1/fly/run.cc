// SPDX-License-Identifier: Apache-2.0
// The entry point `run` of the flavour fly: one app with a root of its own and the rest of the host (internals 12.1).
// stage0 becomes this program, in the same process, with the pod directory as its working directory; the app is its
// child. Ends as the app does, by the same signal if by one (cli 9.5); 254 if the app could not be set up.
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "common/sys/trace.hh"
#include "stage1/fly/plan.hh"
#include "stage1/fly/setup.hh"
#include "stage1/fly/supervisor.hh"
#include "stage1/fly/warden.hh"
#include "stage1/metadata.hh"
#include "stage1/placement.hh"
#include "stage1/pod_group.hh"
#include "stage1/pod_limits.hh"
#include "stage1/process_state.hh"
#include "stage1/records.hh"
#include "stage1/run_arguments.hh"
#include "stage1/security_labels.hh"

namespace
{

using namespace rocket;
using namespace rocket::stage1;

// Below the unit that runs us, or below the caller: fly pods are never machines (cli 9.2).
Placement choose(const model::PodId& id, const HostCgroups& host)
{
    auto placement = choose_group(id, host);
    if (placement.kind != Placement::Kind::scope)
        return placement;
    return {.kind = Placement::Kind::below_caller, .group = placement.fallback, .fallback = {}};
}

PodFacts facts_of(const Pod& pod, std::vector<std::string> controllers)
{
    auto facts = host_facts();
    facts.disks = disks_to_limit(pod.manifest);
    facts.controllers = std::move(controllers);
    if (const char* term = std::getenv("TERM"))
        facts.term = term;
    return facts;
}

ExitStatus supervise(const RunArguments& arguments)
{
    if (::sd_listen_fds(0) > 0)
        throw Error{Error::Kind::usage, "sockets cannot be handed to an app of the flavour fly",
                    "use the default flavour, or start the service without its socket unit"};
    const auto pod = load_pod(arguments.id, sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY));
    const auto plan = fly::make_plan(pod, arguments.options, ::isatty(STDIN_FILENO) == 1);
    trace::mark("planned");
    EventLoop loop;
    HostNotify notify{loop};
    notify.starting("starting the pod");

    check_labels(pod.manifest, host_facts());
    const auto host = host_cgroups();
    const auto placement = choose(pod.id, host);
    record_start(pod.dir.get(), placement.group); // before it is made: gc looks there, should we be killed meanwhile
    PodGroup group;
    auto controllers = make_group(placement, placement.group, host.own);
    group.set(placement.group, GroupOwner::ours);
    // Where we are by now: a process that stayed in the unit's own group would keep its controllers from the pod.
    const fly::Warden warden{placement.group};
    trace::mark("cgroup ready");

    auto facts = facts_of(pod, std::move(controllers));
    if (arguments.options.mds_register)
        facts.metadata_url = register_pod(pod, nullptr);
    auto launched = fly::launch(pod, plan, std::move(facts), group.name());
    trace::mark("launched");
    record_init(pod.dir.get(), launched.app.pid(), {launched.spec});
    return fly::Supervisor{loop, notify, pod, std::move(launched), group.name()}.run();
}

ExitStatus run(int argc, char** argv)
{
    try {
        block_signals({SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH});
        keep_lock_to_ourselves();
        const auto arguments = parse_run_arguments({argv + 1, argv + argc});
        log::set_debug(arguments.options.debug);
        return supervise(arguments);
    } catch (const Error& error) {
        log::error(error);
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    return {.code = fly::set_up_failed};
}

} // namespace

int main(int argc, char** argv)
{
    ensure_standard_fds();
    log::set_prefix("run");
    trace::start("fly");
    trace::mark("start");
    const auto status = run(argc, argv);
    trace::mark("end");
    if (status.signal != 0)
        die_of(status.signal);
    return status.code;
}
