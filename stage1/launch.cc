// SPDX-License-Identifier: Apache-2.0
#include "stage1/launch.hh"

#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "common/sys/sys.hh"
#include "stage1/channel.hh"
#include "stage1/process_clone.hh"
#include "stage1/setup.hh"
#include "stage1/sources.hh"
#include "stage1/user_namespace.hh"

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

pid_t clone3(clone_args arguments)
{
    return static_cast<pid_t>(
        sys::check([&] { return ::syscall(SYS_clone3, &arguments, sizeof arguments); }, "making the pod's namespaces"));
}

// The namespaces of the pod are its user namespace's, so they are made by a process that is in it: a child of ours,
// whose only act is to have a child that is ours, too.
Process clone_into_user_namespace(const Plan& plan, int users, int cgroup)
{
    auto report = sys::make_pipe();
    auto between = clone_into(0, cgroup);
    if (!between) {
        try {
            become_root_in(users);
            clone_args arguments{};
            arguments.flags = namespaces(plan) | CLONE_PARENT;
            const auto pid = clone3(arguments);
            if (pid == 0)
                return {};
            sys::write_all(report.write.get(), {reinterpret_cast<const char*>(&pid), sizeof pid});
        } catch (const Error& error) {
            sys::write_all(report.write.get(), error.serialize());
        }
        ::_exit(0);
    }
    report.write.reset();
    constexpr std::size_t limit = 65536;
    const auto answer = sys::read_to_end(report.read.get(), limit);
    between.wait();
    pid_t pid = 0;
    if (answer.size() != sizeof pid)
        throw Error::deserialize(answer);
    std::memcpy(&pid, answer.data(), sizeof pid);
    return {pid, open_pidfd(pid).value_or(Fd{})}; // nobody else can reap it, so the number is still its own
}

// As fork(2). An empty Process is the child.
Process clone_init(const Plan& plan, const Sources& sources, int cgroup)
{
    return sources.users ? clone_into_user_namespace(plan, sources.users->users.get(), cgroup)
                         : clone_into(namespaces(plan), cgroup);
}

// What the child needs of the host, in the order in which it waits for it (setup.cc).
void attend(const LaunchOptions& options, const Plan& plan, const Process& child, const Channel& channel)
{
    try {
        if (options.begin_network)
            options.begin_network(child.pid());
        if (plan.private_users) {
            auto trees = make_kernel_trees(child.pidfd(), plan.new_network, plan.mask_paths);
            const Fd passed[] = {std::move(trees.proc), std::move(trees.sysfs)};
            channel.go(passed);
        }
        if (options.place)
            options.place(child.pid());
        channel.go();
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
    const auto facts = with_sources(options.facts, plan, sources);
    auto channel = make_channel();

    Launched launched;
    launched.init = clone_init(plan, sources, options.cgroup);
    if (!launched.init) {
        channel.parent.close();
        set_up_and_become_init({pod, plan, sources, facts, channel.child, options.log});
    }
    channel.child.close();
    attend(options, plan, launched.init, channel.parent);
    launched.apps = channel.parent.receive(plan.apps.size());
    for (const auto& spec : launched.apps)
        save(spec, pod.dir.get());

    launched.facts = std::move(options.facts);
    launched.run = std::move(sources.run);
    launched.users = std::move(sources.users);
    for (auto& app : sources.apps)
        launched.terminals.push_back(app.terminal ? std::move(app.terminal->master) : Fd{});
    if (sources.console)
        launched.console = std::move(sources.console->master);
    return launched;
}

} // namespace rocket::stage1
