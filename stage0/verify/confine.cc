// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/confine.hh"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "common/sys/confine.hh"
#include "common/sys/file.hh"
#include "common/sys/mount.hh"
#include "common/sys/process.hh"
#include "common/sys/remove.hh"
#include "common/sys/sys.hh"

namespace rocket::verify
{

namespace
{

constexpr const char* private_home = "/tmp"; // where the tmpfs goes, in our own mount namespace

void write_proc(const char* path, const std::string& content)
{
    const auto fd = sys::open(AT_FDCWD, path, O_WRONLY);
    sys::write_all(fd.get(), content);
}

enum class Isolation {
    none,           // this host does not give us namespaces
    user_namespace, // all of them, in a user namespace in which there is no id but ours
    full,           // all of them, and the right to become somebody else
};

Isolation enter_namespaces()
{
    constexpr int wanted = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWPID;
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    if (uid == 0 && ::unshare(wanted) == 0)
        return Isolation::full;
    if (::unshare(CLONE_NEWUSER | wanted) != 0)
        return Isolation::none;
    write_proc("/proc/self/setgroups", "deny");
    write_proc("/proc/self/uid_map", fmt::format("{0} {0} 1", uid));
    write_proc("/proc/self/gid_map", fmt::format("{0} {0} 1", gid));
    return Isolation::user_namespace;
}

void mount_private_home()
{
    constexpr std::uint64_t plain = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    const auto home = mount::NewFilesystem{"tmpfs"}.set("mode", "0700").set("size", "64m").create(plain);
    mount::attach(home.get(), sys::open(AT_FDCWD, private_home, O_PATH | O_DIRECTORY).get());
}

void set_limits(const Limits& limits)
{
    confine::limit(RLIMIT_CPU, static_cast<rlim_t>(limits.seconds));
    confine::limit(RLIMIT_CORE, 0);
    confine::limit(RLIMIT_NOFILE, 64);
    confine::limit(RLIMIT_FSIZE, std::size_t{64} << 20);
    confine::limit(RLIMIT_AS, std::size_t{512} << 20);
}

// Becomes nobody in particular. In a container that does not have that many ids we stay who we are.
void change_user()
{
    const auto id = confine::unprivileged_id();
    if (::chown(private_home, id, id) != 0)
        return;
    confine::limit(RLIMIT_NPROC, 16); // of an id that nobody else has
    confine::become(id);
}

void confine_child(Isolation isolation, const Limits& limits)
{
    reset_signals();
    ::setsid(); // a group of our own, for killing it where there is no process namespace
    if (isolation != Isolation::none) {
        confine::seal_mounts(MOUNT_ATTR_NOSUID);
        mount_private_home();
    }
    set_limits(limits);
    if (isolation == Isolation::full)
        change_user();
    confine::forbid_privileges();
}

// A directory for hosts without namespaces; removed when we are done, also after our child was killed.
class TemporaryHome
{
public:
    TemporaryHome()
    {
        path_ = "/tmp/rocket-verify-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr)
            throw system_error(errno, "making a temporary directory");
    }
    TemporaryHome(const TemporaryHome&) = delete;
    TemporaryHome& operator=(const TemporaryHome&) = delete;
    ~TemporaryHome()
    {
        try {
            remove_tree(AT_FDCWD, path_);
        } catch (const Error& error) {
            ::dprintf(STDERR_FILENO, "verify: %s\n", error.what());
        }
    }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// Until the child has ended, its time is up, or our reader is gone; then nothing of it is left.
void supervise(Process child, const Limits& limits)
{
    const auto deadline = sys::monotonic_usec() + limits.seconds * std::int64_t{1'000'000};
    const auto group = -child.pid();
    int ready = 0;
    std::array<pollfd, 2> watched{{{.fd = child.pidfd(), .events = POLLIN, .revents = 0},
                                   {.fd = STDOUT_FILENO, .events = 0, .revents = 0}}}; // POLLERR: nobody reads
    do {
        const auto left = (deadline - sys::monotonic_usec()) / 1000;
        ready = left > 0 ? ::poll(watched.data(), watched.size(), static_cast<int>(left)) : 0;
    } while (ready < 0 && errno == EINTR);
    const bool ended = ready > 0 && watched[0].revents != 0;
    ::kill(group, SIGKILL);
    child.kill(SIGKILL);
    const auto status = child.wait();
    if (ready == 0)
        fail(Error::Kind::system, "checking the signature took longer than {} seconds", limits.seconds);
    if (ended && !status.ok())
        fail(Error::Kind::system, "the signature checker ended with {} {}", status.signal != 0 ? "signal" : "status",
             status.signal != 0 ? status.signal : status.code);
}

} // namespace

void run_confined(const Limits& limits, const std::function<void(const std::string& home)>& act,
                  const std::function<void(const Error& error)>& report)
{
    // Our end is decided by supervise(), which cleans up; a signal sent to all of the caller's group, or at the
    // caller's death, would not.
    ::prctl(PR_SET_PDEATHSIG, 0);
    for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE})
        ::signal(signal, SIG_IGN);

    const auto isolation = enter_namespaces();
    std::optional<TemporaryHome> temporary;
    if (isolation == Isolation::none)
        temporary.emplace();
    auto lifeline = sys::make_pipe();
    const pid_t pid = sys::check([] { return ::fork(); }, "starting the confined process");
    if (pid == 0) {
        try {
            lifeline.write.reset();
            confine_child(isolation, limits);
            confine::die_with_parent(lifeline.read.get()); // changing ids has undone what was set earlier
            act(temporary ? temporary->path() : private_home);
        } catch (const Error& error) {
            report(error);
        } catch (const std::exception& error) {
            report(Error{Error::Kind::system, error.what()});
        }
        ::_exit(0);
    }
    auto pidfd = open_pidfd(pid);
    if (!pidfd)
        fail(Error::Kind::system, "the confined process is gone");
    supervise(Process{pid, std::move(*pidfd)}, limits);
}

} // namespace rocket::verify
