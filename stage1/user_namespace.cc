// SPDX-License-Identifier: Apache-2.0
#include "stage1/user_namespace.hh"

#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "common/sys/mount.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/sys.hh"
#include "stage1/kernel_trees.hh"

namespace rocket::stage1
{

namespace
{

// A process that does nothing but be in a new user namespace.
Process clone_holder()
{
    clone_args arguments{};
    arguments.flags = CLONE_NEWUSER;
    arguments.exit_signal = SIGCHLD;
    const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0)
        for (;;)
            ::pause();
    if (pid < 0 && (errno == ENOSPC || errno == EPERM || errno == EINVAL)) {
        auto error = system_error(errno, "this host gives no user namespace to the pod");
        throw Error{Error::Kind::unsupported, error.what(),
                    "see sysctl user.max_user_namespaces, or do without --private-users"};
    }
    if (pid < 0)
        throw system_error(errno, "making a user namespace");
    return Process{static_cast<pid_t>(pid), open_pidfd(static_cast<pid_t>(pid)).value_or(Fd{})};
}

void write_map(pid_t pid, const char* name, const model::IdRange& range)
{
    const auto map = sys::open(AT_FDCWD, fmt::format("/proc/{}/{}", pid, name), O_WRONLY);
    with_context(fmt::format("giving ids {} of the host to the pod", range.str()),
                 [&] { sys::write_all(map.get(), fmt::format("0 {} {}\n", range.first, range.count)); });
}

} // namespace

PrivateUsers make_private_users(const model::IdRange& range)
{
    const auto holder = clone_holder();
    for (const char* map : {"uid_map", "gid_map"})
        write_map(holder.pid(), map, range);
    return {.range = range, .users = sys::open(AT_FDCWD, fmt::format("/proc/{}/ns/user", holder.pid()), O_RDONLY)};
}

void become_root_in(int users)
{
    sys::check([&] { return ::setns(users, CLONE_NEWUSER); }, "joining the pod's user namespace");
    become_root();
}

void become_root()
{
    sys::check([] { return ::setgroups(0, nullptr); }, "leaving the host's groups");
    sys::check([] { return ::setresgid(0, 0, 0); }, "becoming the pod's group root");
    sys::check([] { return ::setresuid(0, 0, 0); }, "becoming the pod's root");
}

KernelTrees make_kernel_trees(int init_pidfd, bool new_network, bool read_only_sysfs)
{
    const int namespaces = CLONE_NEWPID | (new_network ? CLONE_NEWNET : 0);
    auto trees = open_in_child([&] {
        sys::check([&] { return ::setns(init_pidfd, namespaces); }, "entering the pod's namespaces");
        return open_in_child([&] { // only a child is in the PID namespace
            std::vector<Fd> made;
            made.push_back(new_proc());
            made.push_back(new_sysfs(read_only_sysfs));
            return made;
        });
    });
    return {.proc = std::move(trees.at(0)), .sysfs = std::move(trees.at(1))};
}

} // namespace rocket::stage1
