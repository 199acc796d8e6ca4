// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/join.hh"

#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstring>

#include "common/sys/sys.hh"
#include "stage1/enter/messages.hh"
#include "stage1/enter/terminal.hh"
#include "stage1/user_namespace.hh"

namespace rocket::stage1
{

namespace
{

constexpr int report_fd = 3; // of both children: where messages go, close-on-exec

// fork(2) with more to say; the child returns 0 with a copy of our stack.
pid_t clone_child(clone_args arguments, const char* what)
{
    return static_cast<pid_t>(
        sys::check([&] { return ::syscall(SYS_clone3, &arguments, sizeof arguments); }, "starting {}", what));
}

// --- the joining child: outside the pod's PID namespace, so nobody in there can see or trace it ---

void take_on_oom_score(int score)
{
    try {
        const auto own = sys::open(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY);
        sys::write_all(own.get(), fmt::to_string(score));
    } catch (const Error& error) {
        if (error.error_number() != EACCES && error.error_number() != EPERM) // lower than we may: stay as we are
            throw;
    }
}

void join_namespaces(const Target& target)
{
    // The PID namespace is for children. Joining the user namespace that one is in already would be refused.
    int all = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (target.private_users)
        all |= CLONE_NEWUSER;
    sys::check([&] { return ::setns(target.pidfd.get(), all); }, "joining the namespaces of app {}",
               text::quoted(target.spec.name));
    if (target.private_users)
        become_root(); // the host's is nobody in there
    sys::check([&] { return ::fchdir(target.root.fd()); }, "going to the app's root");
    sys::check([] { return ::chroot("."); }, "entering the app's root");
    sys::check([] { return ::chdir("/"); }, "entering the app's root");
}

// Keeps descriptors 0-2, the report and, if there is one, `extra`, which moves to 4.
void close_all_but(int report, int extra)
{
    const Fd kept_report{sys::check([&] { return ::fcntl(report, F_DUPFD_CLOEXEC, 16); }, "keeping a descriptor")};
    Fd kept_extra;
    if (extra >= 0)
        kept_extra.reset(sys::check([&] { return ::fcntl(extra, F_DUPFD_CLOEXEC, 16); }, "keeping a descriptor"));
    sys::check([&] { return ::dup3(kept_report.get(), report_fd, O_CLOEXEC); }, "arranging descriptors");
    if (extra >= 0)
        sys::check([&] { return ::dup3(kept_extra.get(), report_fd + 1, O_CLOEXEC); }, "arranging descriptors");
    sys::check([&] { return ::close_range(extra >= 0 ? report_fd + 2 : report_fd + 1, UINT_MAX, 0); },
               "closing descriptors");
}

// --- the command's process: in the pod ---

void take_terminal(int slave)
{
    sys::check([&] { return ::ioctl(slave, TIOCSCTTY, 0); }, "taking the terminal");
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::isatty(standard) != 0)
            sys::check([&] { return ::dup2(slave, standard); }, "arranging descriptors");
}

void take_on_limits(const std::array<rlimit, RLIMIT_NLIMITS>& limits)
{
    for (int resource = 0; resource < RLIMIT_NLIMITS; ++resource) {
        const auto& limit = limits[static_cast<std::size_t>(resource)];
        if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 && errno != EPERM) // higher than ours
            throw system_error(errno, "setting resource limits");
    }
}

void become(const Target& target, const EnterCommand& command, int slave)
{
    reset_signals();
    sys::check([] { return ::setsid(); }, "starting a session");
    if (slave >= 0)
        take_terminal(slave);
    ::umask(022);
    take_on_limits(target.limits);
    execute(command.program); // whoever kills `enter` ends the command
}

// Runs `act`; what it throws is reported. Never returns.
template <typename Act>
[[noreturn]] void run_child(int report, Act&& act) noexcept
{
    try {
        act();
        ::_exit(0);
    } catch (const Error& error) {
        send_error(report, error);
    } catch (const std::exception& error) {
        send_error(report, Error{Error::Kind::system, error.what()});
    }
    ::_exit(254);
}

void join(const Target& target, const EnterCommand& command, int report)
{
    take_on_oom_score(target.oom_score);
    leave_session_keyring();
    join_namespaces(target);
    Pty pty;
    if (command.wants_terminal) {
        pty = open_pod_pty(command.program.credentials.uid);
        send_terminal(report, pty.master);
    }
    const int slave = pty.slave ? report_fd + 1 : -1;
    close_all_but(report, pty.slave.get());
    [[maybe_unused]] const int closed = pty.slave.release() + pty.master.release(); // by close_all_but

    // A child of our parent, who can wait for it then.
    const pid_t child = clone_child({.flags = CLONE_PARENT}, "the command");
    if (child == 0)
        run_child(report_fd, [&] { become(target, command, slave); });
    send_pid(report_fd, child);
}

} // namespace

Entered enter(const Target& target, const EnterCommand& command)
{
    auto sockets = sys::make_socket_pair(SOCK_SEQPACKET);
    // Born in the app's cgroup: there is no moment outside its limits.
    const pid_t pid = clone_child(
        {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = static_cast<std::uint64_t>(target.cgroup.get())},
        "a process in the app's cgroup");
    if (pid == 0)
        run_child(sockets.second.get(), [&] { join(target, command, sockets.second.get()); });
    Process joining{pid, open_pidfd(pid).value_or(Fd{})};
    sockets.second.reset();
    auto messages = receive_all(sockets.first.get());
    joining.wait();
    Entered entered;
    if (messages.pid)
        entered.process = Process{*messages.pid, open_pidfd(*messages.pid).value_or(Fd{})};
    if (messages.error)
        throw *messages.error;
    if (!entered.process)
        fail(Error::Kind::system, "the process that entered the pod died");
    entered.terminal = std::move(messages.terminal);
    return entered;
}

} // namespace rocket::stage1
