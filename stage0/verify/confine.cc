// SPDX-License-Identifier: Apache-2.0
#include "stage0/verify/confine.hh"

#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

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

// Nobody's number, and a different one each time: from the range systemd gives to services as DynamicUser.
uid_t unprivileged_id()
{
    constexpr uid_t first = 61184;
    constexpr uid_t last = 65519;
    unsigned random = 0;
    sys::random_bytes(&random, sizeof random);
    return first + random % (last - first + 1);
}

void mount_private_tree()
{
    const auto root = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    mount::set_propagation(root.get(), MS_PRIVATE, true);
    mount::set_attributes(root.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, true);
    constexpr std::uint64_t plain = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    const auto home = mount::NewFilesystem{"tmpfs"}.set("mode", "0700").set("size", "64m").create(plain);
    mount::attach(home.get(), sys::open(AT_FDCWD, private_home, O_PATH | O_DIRECTORY).get());
    const auto nothing = mount::NewFilesystem{"tmpfs"}.set("mode", "0555").create(plain | MOUNT_ATTR_RDONLY);
    mount::attach(nothing.get(), sys::open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY).get()); // the host's processes
}

void limit(__rlimit_resource resource, rlim_t value)
{
    const rlimit both{value, value};
    sys::check([&] { return ::setrlimit(resource, &both); }, "limiting resources");
}

void set_limits(const Limits& limits)
{
    limit(RLIMIT_CPU, static_cast<rlim_t>(limits.seconds));
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 64);
    limit(RLIMIT_FSIZE, std::size_t{64} << 20);
    limit(RLIMIT_AS, std::size_t{512} << 20);
}

// Becomes nobody in particular. In a container that does not have that many ids we stay who we are.
void change_user()
{
    const auto id = unprivileged_id();
    if (::chown(private_home, id, id) != 0)
        return;
    limit(RLIMIT_NPROC, 16); // of an id that nobody else has
    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    sys::check([&] { return ::setresgid(id, id, id); }, "changing the group");
    sys::check([&] { return ::setresuid(id, id, id); }, "changing the user");
}

// For good: programs executed from here on cannot get anything back.
void drop_privileges()
{
    sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "refusing new privileges");
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    sys::check([&] { return ::syscall(SYS_capset, &header, none.data()); }, "dropping capabilities");
}

// `lifeline` is open at its other end as long as the parent lives.
void die_with_parent(const Fd& lifeline)
{
    sys::check([] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL); }, "tying our life to the parent's");
    pollfd parent{.fd = lifeline.get(), .events = 0, .revents = 0};
    if (::poll(&parent, 1, 0) != 0) // it died before the line above
        ::_exit(254);
}

void confine_child(Isolation isolation, const Limits& limits)
{
    reset_signals();
    ::setsid(); // a group of our own, for killing it where there is no process namespace
    if (isolation != Isolation::none)
        mount_private_tree();
    set_limits(limits);
    if (isolation == Isolation::full)
        change_user();
    drop_privileges();
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
            die_with_parent(lifeline.read); // changing ids has undone what was set earlier
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
