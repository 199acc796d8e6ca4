// SPDX-License-Identifier: Apache-2.0
#include "stage1/init.hh"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "common/sys/words.hh"
#include "stage1/execute.hh"

namespace rocket::stage1
{

namespace
{

constexpr int needed_capabilities[] = {
    CAP_CHOWN,     CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,     CAP_FSETID,       // files of /run, journal
    CAP_SETUID,    CAP_SETGID,       CAP_SETPCAP,         CAP_SYS_CHROOT, CAP_SYS_RESOURCE, // what apps are put into
    CAP_SYS_ADMIN,                                                                          // mount namespaces of apps
    CAP_KILL,      CAP_SYS_NICE,     CAP_SYS_PTRACE, // other users' processes: stop them, tell who logged
    CAP_MKNOD,     CAP_AUDIT_WRITE,                  // /run/systemd/inaccessible; the bus
};

// What is not bounded here can be had by whoever gets into PID 1.
void limit_capabilities(std::uint64_t keep)
{
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        if ((keep >> capability & 1) == 0)
            sys::check([&] { return ::prctl(PR_CAPBSET_DROP, capability); }, "dropping capability {}", capability);
    sys::check([] { return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); },
               "clearing ambient capabilities");
}

void arrange_fds(int log, unsigned sockets)
{
    const auto null = sys::open(AT_FDCWD, "/dev/null", O_RDWR); // the pod's
    const Fd output = sys::duplicate(log >= 0 ? log : null.get());
    for (const auto& [source, target] : {std::pair{null.get(), 0}, {output.get(), 1}, {output.get(), 2}})
        sys::check([&, source = source, target = target] { return ::dup2(source, target); }, "arranging descriptor {}",
                   target);
    constexpr unsigned first = 3;
    sys::check([&] { return ::close_range(first + sockets, UINT_MAX, CLOSE_RANGE_CLOEXEC); }, "closing descriptors");
    for (unsigned socket = 0; socket < sockets; ++socket)
        sys::set_cloexec(static_cast<int>(first + socket), false);
}

} // namespace

std::uint64_t init_capabilities()
{
    std::uint64_t bits = 0;
    for (const int capability : needed_capabilities)
        bits |= std::uint64_t{1} << capability;
    return bits;
}

void become_init(const Plan& plan, std::uint64_t app_capabilities, int log)
{
    const auto argv = pointers_to(plan.init_argv);
    const auto env = pointers_to(plan.init_env);
    ::setsid(); // neither the caller's terminal nor its signals reach the pod
    ::umask(022);
    leave_session_keyring();
    if (plan.restrict_capabilities)
        limit_capabilities(init_capabilities() | app_capabilities);
    arrange_fds(log, plan.init_sockets);
    reset_signals();
    ::execve(argv[0], argv.data(), env.data());
    throw system_error(errno, fmt::format("executing {} of the stage1 image", text::quoted(plan.init_argv[0])));
}

} // namespace rocket::stage1
