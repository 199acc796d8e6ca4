// SPDX-License-Identifier: Apache-2.0
#include "stage1/process_clone.hh"

#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

Process clone_into(std::uint64_t namespaces, int cgroup)
{
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = namespaces | CLONE_PIDFD;
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

} // namespace rocket::stage1
