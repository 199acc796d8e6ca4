// SPDX-License-Identifier: Apache-2.0
#include "stage1/app/helper.hh"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/model/layout.hh"
#include "common/sys/sys.hh"
#include "stage1/audit.hh"
#include "stage1/construction.hh"
#include "stage1/sources.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t plainly = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

void die_with(pid_t parent)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(1);
}

template <typename Act>
AppHelper fork_helper(Act act)
{
    auto channel = make_channel();
    const pid_t parent = ::getpid();
    const pid_t child = sys::check([] { return ::fork(); }, "starting a process");
    if (child != 0) {
        auto pidfd = open_pidfd(child);
        return {Process{child, pidfd ? std::move(*pidfd) : Fd{}}, std::move(channel.parent)};
    }
    try {
        die_with(parent);
        reset_signals();
        channel.parent.close();
        ::umask(0); // modes are exact
        act(channel.child);
    } catch (const Error& error) {
        channel.child.send(error);
    } catch (const std::exception& error) {
        channel.child.send(Error{Error::Kind::system, error.what()});
    }
    ::_exit(0);
}

void set_root(int root)
{
    sys::check([&] { return ::fchdir(root); }, "changing the root");
    sys::check([] { return ::chroot("."); }, "changing the root");
}

// What is mounted at `path` in the pod, if it is what we have mounted there: PID 1 could have put anything in its
// place.
Fd open_mounted(const InRoot& root, const char* path, long type)
{
    auto place = sys::open_resolved(root.fd(), path, O_PATH | O_DIRECTORY, plainly);
    struct statfs file_system {
    };
    sys::check([&] { return ::fstatfs(place.get(), &file_system); }, "looking at /{} of the pod", path);
    if (static_cast<long>(file_system.f_type) != type)
        fail(Error::Kind::corrupt, "/{} of the pod is not what it was", path);
    return place;
}

class PodMounts
{
public:
    PodMounts(int init_pidfd, bool own_ipc, const PrivateUsers* users)
        : host_root_{sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY)}, self_{sys::open(AT_FDCWD, "/proc/self",
                                                                                      O_PATH | O_DIRECTORY)}
    {
        if (users != nullptr) {
            become_root_in(users->users.get());
            die_with(::getppid()); // the kernel forgets about it with the change of user
        }
        const int namespaces = CLONE_NEWNS | (own_ipc ? CLONE_NEWIPC : 0); // message queues are of the latter
        sys::check([&] { return ::setns(init_pidfd, namespaces); }, "joining the pod");
        root_ = InRoot{sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY)};
        set_root(host_root_.get());
    }

    const InRoot& root() const noexcept { return root_; }
    InRoot take_root() { return std::move(root_); }

    // The table lists what can be reached from the reader's root.
    std::string table(const InRoot& root) const
    {
        constexpr std::size_t limit = 16U << 20U;
        set_root(root.fd());
        const auto file = sys::open(self_.get(), "mountinfo", O_RDONLY);
        auto text = sys::read_to_end(file.get(), limit);
        set_root(host_root_.get());
        return text;
    }

private:
    Fd host_root_, self_;
    InRoot root_{Fd{}};
};

void take_over(Construction& work, PodMounts& mounts)
{
    work.root = mounts.take_root();
    work.run = InRoot{open_mounted(work.root, "run", TMPFS_MAGIC)};
    work.dev = open_mounted(work.root, "dev", TMPFS_MAGIC);
    work.shm = open_mounted(work.root, "dev/shm", TMPFS_MAGIC);
    work.proc = open_mounted(work.root, "proc", PROC_SUPER_MAGIC);
    work.sysfs = open_mounted(work.root, "sys", SYSFS_MAGIC);
    for (auto* file : {&work.sources.hosts, &work.sources.resolv_conf})
        file->reset();
    // The files that the pod's apps have are there already; only that they are there counts.
    if (has_run_file(work, "hosts"))
        work.sources.hosts.emplace();
    if (has_run_file(work, "resolv.conf"))
        work.sources.resolv_conf.emplace();
}

void detach_app_root(const InRoot& run, const std::string& app)
{
    const auto apps = run.open_if_exists(std::string{model::in_pod::apps}.substr(4), O_PATH | O_DIRECTORY); // in /run
    const auto name = "app-" + app;
    const auto place =
        apps ? sys::open_resolved_if_exists(apps->get(), name, O_PATH | O_DIRECTORY, plainly) : std::nullopt;
    if (!place)
        return;
    // The link leads to what is mounted there, and to nothing else.
    if (::umount2(sys::proc_path(place->get()).c_str(), MNT_DETACH) != 0 && errno != EINVAL) // EINVAL: nothing is
        throw system_error(errno, "unmounting the app's root");
    sys::unlink_if_exists(apps->get(), name, AT_REMOVEDIR);
}

AppSpec build(Construction& work, const PodMounts& mounts)
{
    attach_app_roots(work);
    prepare_app(work, 0);
    auto spec = resolve_app(work, 0);
    check_app_mounts(work.plan, 0, work.apps[0].volume_paths, mounts.table(work.root));
    return spec;
}

} // namespace

AppHelper start_adding(const Pod& pod, const Plan& plan, const PodFacts& facts, int init_pidfd, Fd terminal_filesystem,
                       const PrivateUsers* users)
{
    return fork_helper([&](const Channel& supervisor) {
        with_context(fmt::format("adding app {}", text::quoted(plan.apps[0].name)), [&] {
            Sources sources;
            sources.apps = open_apps(pod, plan, users);
            if (sources.apps[0].terminal)
                sources.apps[0].terminal->filesystem =
                    std::move(terminal_filesystem); // its master is with the supervisor
            const auto all_facts = with_sources(facts, plan, sources);
            PodMounts mounts{init_pidfd, plan.new_ipc, users};
            Construction work{.pod = pod, .plan = plan, .sources = sources, .facts = all_facts};
            take_over(work, mounts);
            try {
                supervisor.send(build(work, mounts));
            } catch (const Error&) {
                detach_app_root(work.run, plan.apps[0].name);
                throw;
            }
        });
    });
}

AppHelper start_removing(const std::string& app, int init_pidfd, const PrivateUsers* users)
{
    return fork_helper([&](const Channel&) {
        with_context(fmt::format("removing app {}", text::quoted(app)), [&] {
            const PodMounts mounts{init_pidfd, false, users};
            detach_app_root(InRoot{open_mounted(mounts.root(), "run", TMPFS_MAGIC)}, app);
        });
    });
}

} // namespace rocket::stage1
