// SPDX-License-Identifier: Apache-2.0
#include "stage1/launch.hh"

#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "common/sys/sys.hh"
#include "stage1/channel.hh"
#include "stage1/setup.hh"
#include "stage1/sources.hh"

namespace rocket::stage1
{

namespace
{

std::uint64_t namespaces(const Plan& plan)
{
    // The cgroup namespace comes later: its root is the group the process is in when it is made.
    std::uint64_t flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS;
    if (plan.new_ipc)
        flags |= CLONE_NEWIPC;
    if (plan.new_network)
        flags |= CLONE_NEWNET;
    return flags;
}

// As fork(2). An empty Process is the child.
Process clone_into_namespaces(const Plan& plan, int cgroup)
{
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = namespaces(plan) | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<std::uint64_t>(cgroup);
    }
    const auto pid =
        sys::check([&] { return ::syscall(SYS_clone3, &arguments, sizeof arguments); }, "making the pod's namespaces");
    return pid == 0 ? Process{} : Process{static_cast<pid_t>(pid), Fd{pidfd}};
}

PodFacts complete(PodFacts facts, const Plan& plan, const Sources& sources)
{
    facts.restrict_capabilities = plan.restrict_capabilities;
    facts.restrict_paths = plan.mask_paths;
    facts.restrict_seccomp = plan.restrict_seccomp;
    for (std::size_t index = 0; index < plan.apps.size(); ++index) {
        facts.devices[plan.apps[index].name] = sources.apps[index].devices;
        if (sources.apps[index].terminal)
            facts.terminals.insert(plan.apps[index].name);
    }
    return facts;
}

void place(const LaunchOptions& options, const Process& child, const Channel& channel)
{
    if (!options.place)
        return;
    try {
        options.place(child.pid());
    } catch (const Error&) {
        // A child that has failed meanwhile cannot be placed anywhere: its own error is the cause then.
        if (const auto cause = channel.error_if_any())
            throw Error{*cause};
        throw;
    }
}

} // namespace

Launched launch(const Pod& pod, const Plan& plan, LaunchOptions options)
{
    auto sources = open_sources(pod, plan);
    const auto facts = complete(std::move(options.facts), plan, sources);
    auto channel = make_channel();

    Launched launched;
    launched.init = clone_into_namespaces(plan, options.cgroup);
    if (!launched.init) {
        channel.parent.close();
        set_up_and_become_init({pod, plan, sources, facts, channel.child, options.log});
    }
    channel.child.close();
    place(options, launched.init, channel.parent);
    channel.parent.go();
    launched.apps = channel.parent.receive(plan.apps.size());
    for (const auto& spec : launched.apps)
        save(spec, pod.dir.get());

    launched.run = std::move(sources.run);
    for (auto& app : sources.apps)
        launched.terminals.push_back(app.terminal ? std::move(app.terminal->master) : Fd{});
    if (sources.console)
        launched.console = std::move(sources.console->master);
    return launched;
}

} // namespace rocket::stage1
