// SPDX-License-Identifier: Apache-2.0
#include "common/sys/process.hh"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/words.hh"

namespace rocket
{

namespace
{

// In the child: puts each wanted descriptor in its place, clear of close-on-exec, and closes all others at exec.
// Returns an errno value.
int arrange_fds(const std::map<int, int>& wanted, int null_fd, int report_fd)
{
    // First out of the way of all targets, then into place: a source may sit on somebody else's target.
    const int floor = std::max(wanted.empty() ? 3 : wanted.rbegin()->first + 1, 3);
    std::vector<std::pair<int, int>> moves;
    for (const auto& [target, source] : wanted) {
        const int copy = ::fcntl(source, F_DUPFD_CLOEXEC, floor);
        if (copy < 0)
            return errno;
        moves.emplace_back(copy, target);
    }
    const int safe_report = ::fcntl(report_fd, F_DUPFD_CLOEXEC, floor);
    const int safe_null = ::fcntl(null_fd, F_DUPFD_CLOEXEC, floor);
    if (safe_report < 0 || safe_null < 0)
        return errno;
    if (::close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0)
        return errno;
    for (int standard = 0; standard <= 2; ++standard)
        if (!wanted.contains(standard) && ::dup2(safe_null, standard) < 0)
            return errno;
    for (const auto& [copy, target] : moves)
        if (::dup2(copy, target) < 0)
            return errno;
    return 0;
}

[[noreturn]] void report_and_die(int report_fd, int error_number)
{
    [[maybe_unused]] const auto written = ::write(report_fd, &error_number, sizeof error_number);
    ::_exit(254);
}

} // namespace

Process& Process::operator=(Process&& other) noexcept
{
    std::swap(pid_, other.pid_);
    std::swap(pidfd_, other.pidfd_);
    return *this;
}

Process::~Process()
{
    if (pid_ <= 0)
        return;
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
    while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
}

void Process::kill(int signal) const
{
    send_signal(pidfd_.get(), signal);
}

ExitStatus Process::wait()
{
    int status = 0;
    sys::check([&] { return ::waitpid(pid_, &status, __WALL); }, "waiting for process {}", pid_);
    release();
    if (WIFSIGNALED(status))
        return {.code = 0, .signal = WTERMSIG(status)};
    return {.code = WEXITSTATUS(status), .signal = 0};
}

std::optional<ExitStatus> Process::wait_for(int milliseconds)
{
    const auto deadline = sys::monotonic_usec() + milliseconds * 1000LL;
    for (;;) {
        const auto left = std::max<std::int64_t>(0, (deadline - sys::monotonic_usec() + 999) / 1000);
        pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
        const int ready = ::poll(&ended, 1, static_cast<int>(left));
        if (ready > 0)
            return wait();
        if (ready == 0)
            return std::nullopt;
        if (errno != EINTR)
            throw system_error(errno, fmt::format("waiting for process {}", pid_));
    }
}

void Process::release() noexcept
{
    pid_ = 0;
    pidfd_.reset();
}

Process spawn(const Spawn& what)
{
    auto report = sys::make_pipe();
    const auto null = sys::open(AT_FDCWD, "/dev/null", O_RDWR);
    const auto argv = pointers_to(what.argv);
    const auto env = pointers_to(what.env);
    const pid_t parent = ::getpid();

    const pid_t pid = sys::check([] { return ::fork(); }, "starting {}", text::quoted(what.program));
    if (pid == 0) {
        reset_signals();
        if (what.die_with_us) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) // it died before the line above
                ::_exit(254);
        }
        if (what.own_group)
            ::setpgid(0, 0);
        if (!what.working_directory.empty() && ::chdir(what.working_directory.c_str()) != 0)
            report_and_die(report.write.get(), errno);
        // The report's descriptor is moved by arrange_fds only when it sits on a target: keep one out of reach.
        const int report_fd = ::fcntl(report.write.get(), F_DUPFD_CLOEXEC, 64);
        if (const int failed = arrange_fds(what.fds, null.get(), report_fd); failed != 0)
            report_and_die(report_fd, failed);
        ::execve(what.program.c_str(), argv.data(), env.data());
        report_and_die(report_fd, errno);
    }

    Process child{pid, open_pidfd(pid).value_or(Fd{})};
    report.write.reset();
    int failed = 0;
    if (::read(report.read.get(), &failed, sizeof failed) == sizeof failed) {
        child.wait();
        throw system_error(failed, fmt::format("starting {}", text::quoted(what.program)));
    }
    return child;
}

std::optional<Fd> open_pidfd(pid_t pid)
{
    Fd fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (fd)
        return fd;
    if (errno == ESRCH || errno == EINVAL) // EINVAL: a thread, or no sensible number
        return std::nullopt;
    throw system_error(errno, fmt::format("opening process {}", pid));
}

void send_signal(int pidfd, int signal)
{
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) != 0 && errno != ESRCH)
        throw system_error(errno, fmt::format("sending signal {}", signal));
}

std::optional<unsigned long long> start_time(pid_t pid)
{
    std::optional<std::string> stat;
    try {
        stat = file::read_if_exists(AT_FDCWD, fmt::format("/proc/{}/stat", pid), 4096);
    } catch (const Error& error) {
        if (error.error_number() != ESRCH)
            throw;
    }
    if (!stat)
        return std::nullopt;
    // The name, in parentheses, may hold anything; after its last ')' come field 3 and on, separated by blanks.
    const auto close = stat->rfind(") ");
    if (close == std::string::npos)
        return std::nullopt;
    const auto fields = text::split(stat->substr(close + 2), ' ');
    return fields.size() > 19 ? text::parse_decimal(fields[19]) : std::nullopt;
}

bool in_user_namespace()
{
    // The host's own has all ids, as they are.
    auto words = text::split(text::trim(file::read(AT_FDCWD, "/proc/self/uid_map", 65536)), ' ');
    std::erase(words, "");
    return words != std::vector<std::string>{"0", "0", "4294967295"};
}

void reset_signals() noexcept
{
    for (int signal = 1; signal <= SIGRTMAX; ++signal)
        ::signal(signal, SIG_DFL); // fails for KILL, STOP and the two of libc: fine
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void die_of(int signal)
{
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    reset_signals();
    ::kill(::getpid(), signal);
    ::_exit(128 + signal); // a signal that does not kill
}

void ensure_standard_fds()
{
    int fd = 0;
    do
        fd = ::open("/dev/null", O_RDWR); // not close-on-exec: these three are for everybody
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        ::close(fd);
}

} // namespace rocket
