// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/warden.hh"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "common/sys/cgroup.hh"
#include "common/sys/sys.hh"
#include "stage1/process_clone.hh"

namespace rocket::stage1::fly
{

namespace
{

constexpr int patience_milliseconds = 10'000;

[[noreturn]] void wait_and_kill(const Fd& supervisor, const std::string& group) noexcept
{
    try {
        ::setsid(); // what kills the supervisor's process group leaves us
        ::prctl(PR_SET_NAME, "rocket-warden");
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) // whoever reads them is not to wait
            ::close(standard);
        pollfd end{.fd = supervisor.get(), .events = POLLIN, .revents = 0};
        while (::poll(&end, 1, -1) < 0 && errno == EINTR) {
        }
        cgroup::kill(group);
        cgroup::remove(group, patience_milliseconds);
    } catch (const std::exception&) { // gc will see to it
    }
    ::_exit(0);
}

} // namespace

Warden::Warden(const std::string& group)
{
    const auto supervisor = open_pidfd(::getpid());
    if (!supervisor)
        throw system_error(errno, "watching the pod's supervisor");
    process_ = clone_into(0, -1);
    if (!process_)
        wait_and_kill(*supervisor, group);
}

} // namespace rocket::stage1::fly
