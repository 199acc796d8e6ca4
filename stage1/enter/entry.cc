// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/entry.hh"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>

#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/enter/join.hh"
#include "stage1/enter/sealed.hh"
#include "stage1/enter/terminal.hh"
#include "stage1/entry_point.hh"
#include "stage1/environment.hh"
#include "stage1/executable.hh"
#include "stage1/users.hh"

namespace rocket::stage1
{

namespace
{

constexpr int forwarded_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

bool any_terminal()
{
    return ::isatty(STDIN_FILENO) != 0 || ::isatty(STDOUT_FILENO) != 0 || ::isatty(STDERR_FILENO) != 0;
}

Credentials wanted_credentials(const EnterOptions& options, const Target& target)
{
    const auto& spec = target.spec;
    // The owner of a file, seen from out here, has an id of the host's.
    const auto offset = [&](const std::string& value) { return value.starts_with('/') ? spec.first_id : 0; };
    const auto uid = options.user.empty() ? spec.uid : resolve_user(options.user, target.root) - offset(options.user);
    auto gid = uid == 0 && spec.uid != 0 ? 0 : spec.gid;
    if (!options.group.empty())
        gid = resolve_group(options.group, target.root) - offset(options.group);
    return credentials_of(spec, uid, gid);
}

// The app's, the caller's TERM, and on top of them what was asked for.
model::Environment environment_of(const AppSpec& spec, const model::Environment& wanted)
{
    model::Environment all;
    for (const auto& variable : spec.environment)
        all.push_back({.name = variable.name, .value = variable.value});
    const char* const term = ::getenv("TERM");
    model::set(all, "TERM", term != nullptr && *term != '\0' ? term : "vt100");
    for (const auto& variable : wanted)
        model::set(all, variable.name, variable.value);
    return all;
}

std::vector<std::string> assignments(const model::Environment& environment)
{
    std::vector<std::string> all;
    for (const auto& variable : environment)
        all.push_back(variable.name + '=' + variable.value);
    return all;
}

EnterCommand command_for(const EnterOptions& options, const Target& target)
{
    auto credentials = wanted_credentials(options, target);
    const auto environment = environment_of(target.spec, options.environment);
    const auto* const path = model::find(environment, "PATH");
    const auto found =
        find_executable(target.root, options.command.front(),
                        {.path = path != nullptr ? *path : "",
                         .working_directory = options.working_directory,
                         .who = {credentials.uid, credentials.gid, credentials.groups, target.spec.first_id}});
    if (!found.problem.empty())
        fail(Error::Kind::usage, "cannot execute {}: {}", text::quoted(options.command.front()), found.problem);
    return {.program = {.path = found.path,
                        .argv = options.command,
                        .env = assignments(environment),
                        .working_directory = options.working_directory,
                        .credentials = std::move(credentials)},
            .wants_terminal = any_terminal()};
}

Fd block_signals()
{
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : forwarded_signals)
        ::sigaddset(&set, signal);
    ::sigaddset(&set, SIGWINCH);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    return Fd{sys::check([&] { return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK); }, "waiting for signals")};
}

void pass_on_signal(int signals, const Process& command, TerminalRelay* relay)
{
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo != SIGWINCH)
        command.kill(static_cast<int>(info.ssi_signo));
    else if (relay != nullptr)
        relay->copy_window_size();
}

// Until the command has ended.
ExitStatus attend(Entered& entered, const Fd& signals)
{
    std::unique_ptr<TerminalRelay> relay;
    if (entered.terminal)
        relay = std::make_unique<TerminalRelay>(std::move(entered.terminal));
    bool has_output = relay != nullptr;
    for (;;) {
        const auto wanted = [&](bool wish, short event) { return wish ? event : short{0}; };
        const bool input = relay && relay->wants_input();
        const auto master_events = static_cast<short>(POLLIN | wanted(relay && relay->wants_to_write(), POLLOUT));
        pollfd ready[] = {{.fd = entered.process.pidfd(), .events = POLLIN, .revents = 0},
                          {.fd = signals.get(), .events = POLLIN, .revents = 0},
                          {.fd = has_output ? relay->master() : -1, .events = master_events, .revents = 0},
                          {.fd = input ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
        if (::poll(ready, std::size(ready), -1) < 0 && errno != EINTR)
            throw system_error(errno, "waiting for the command");
        if (ready[1].revents != 0)
            pass_on_signal(signals.get(), entered.process, relay.get());
        if ((ready[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            has_output = relay->write_output();
        if ((ready[2].revents & POLLOUT) != 0)
            relay->write_to_pod();
        if (ready[3].revents != 0)
            relay->read_input();
        if (ready[0].revents != 0) {
            if (relay)
                relay->drain();
            return entered.process.wait();
        }
    }
}

int run(int argc, char** argv, FindTarget find_target)
{
    const auto options = parse_enter_options(
        {const_cast<const char* const*>(argv + 1), static_cast<std::size_t>(std::max(argc - 1, 0))});
    const auto pod = sys::open(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
    const auto signals = block_signals();
    const auto target = find_target(pod.get(), options);
    auto entered = enter(target, command_for(options, target));
    const auto status = attend(entered, signals);
    if (status.signal != 0)
        die_of(status.signal);
    return status.code;
}

} // namespace

int enter_main(int argc, char** argv, FindTarget find_target)
{
    return entry_point("enter", [&] {
        // Neither /proc/PID nor ptrace give anybody in the pod a way to what we have open.
        sys::check([] { return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }, "protecting the process");
        continue_in_sealed_copy(argv);
        ::prctl(PR_SET_NAME, "rocket-enter"); // not the number of the memfd
        return run(argc, argv, find_target);
    });
}

} // namespace rocket::stage1
