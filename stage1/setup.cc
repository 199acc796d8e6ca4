// SPDX-License-Identifier: Apache-2.0
#include "stage1/setup.hh"

#include <linux/openat2.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "common/sys/log.hh"
#include "common/sys/mount.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "stage1/audit.hh"
#include "stage1/construction.hh"
#include "stage1/init.hh"
#include "stage1/seccomp.hh"

namespace rocket::stage1
{

namespace
{

void make_mounts_private(Construction&)
{
    mount::set_propagation(sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY).get(), MS_PRIVATE, true);
}

void set_host_name(Construction& pod)
{
    const auto& name = pod.plan.hostname;
    sys::check([&] { return ::sethostname(name.data(), name.size()); }, "setting it to {}", text::quoted(name));
}

// The kernel gives it 127.0.0.1/8 and ::1 when it comes up.
void start_loopback(Construction& pod)
{
    if (!pod.plan.new_network)
        return;
    const Fd socket{sys::check([] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }, "opening a socket")};
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    sys::check([&] { return ::ioctl(socket.get(), SIOCSIFFLAGS, &request); }, "setting it up");
}

void prepare_apps(Construction& pod)
{
    write_name_files(pod);
    for (std::size_t index = 0; index < pod.apps.size(); ++index)
        prepare_app(pod, index);
}

void resolve_apps(Construction& pod)
{
    for (std::size_t index = 0; index < pod.apps.size(); ++index)
        pod.specs.push_back(resolve_app(pod, index));
}

// By our own procfs, which no app has touched yet (R6).
void check_all_mounts(Construction& pod)
{
    constexpr std::size_t limit = 16U << 20U;
    std::vector<std::vector<std::string>> volume_places;
    for (const auto& app : pod.apps)
        volume_places.push_back(app.volume_paths);
    const auto file = sys::open_resolved(pod.proc.get(), "self/mountinfo", O_RDONLY,
                                         RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
    check_mounts(mount_rules(pod.plan, volume_places), sys::read_to_end(file.get(), limit));
}

struct Step {
    const char* doing;
    void (*act)(Construction&);
};

constexpr Step before_the_cgroup[] = {
    {"making the mounts private", make_mounts_private}, // or ours would show up on the host
    {"setting the host name", set_host_name},
    {"starting the loopback interface", start_loopback},
    {"mounting the pod's root", mount_root},
    {"mounting the apps' roots", attach_app_roots},
    {"making devices", make_devices}, // before /proc and /sys: null covers files there
    {"mounting /proc and /sys", mount_kernel_trees},
    {"preparing the apps", prepare_apps},
    {"looking up the apps", resolve_apps}, // in their final roots; needs the host's /proc
    {"introducing the apps' users to PID 1", introduce_users},
};

constexpr Step after_the_cgroup[] = {
    {"mounting the cgroup tree", mount_cgroup}, // after all clones of /sys were made: apps do not get it
    {"leaving the host's root", [](Construction& pod) { leave_host_root(pod); }},
    {"checking the mounts", check_all_mounts}, // when all are there, and those of the host are not
};

// A failed system call says little by itself, and a user sees the last cause only: it gets the step's name, too.
[[noreturn]] void rethrow_with_step(const Error& error, const char* doing)
{
    if (error.kind() != Error::Kind::system && error.kind() != Error::Kind::not_found)
        throw Error{error};
    Error clearer{error.kind(), fmt::format("{}: {}", doing, error.what()), error.hint()};
    clearer.set_error_number(error.error_number());
    throw clearer;
}

void run(std::span<const Step> steps, Construction& pod)
{
    for (const auto& [doing, act] : steps) {
        log::debug("{}", doing);
        try {
            act(pod);
        } catch (const Error& error) {
            rethrow_with_step(error, doing);
        }
    }
}

void set_up(const SetUp& what)
{
    Construction pod{.pod = what.pod, .plan = what.plan, .sources = what.sources, .facts = what.facts};
    if (what.plan.private_users) {
        auto trees = what.parent.wait_for_go();
        pod.proc = std::move(trees.at(0));
        pod.sysfs = std::move(trees.at(1));
    }
    run(before_the_cgroup, pod);
    what.parent.wait_for_go();
    run(after_the_cgroup, pod);
    std::uint64_t capabilities = 0;
    for (const auto& spec : pod.specs) {
        what.parent.send(spec);
        capabilities |= spec.bounding_set;
    }
    // Who will join a mutable pod is not known yet: it is as tight as one with an app under the default policy.
    if (needs_pod_filter(pod.specs) || (pod.plan.is_mutable && pod.plan.restrict_seccomp))
        install_filter(pod_filter()); // inherited by PID 1 and the apps
    become_init(what.plan, pod.plan.is_mutable ? UINT64_MAX : capabilities, what.log);
}

} // namespace

void set_up_and_become_init(const SetUp& what) noexcept
{
    try {
        // The signal comes when the supervisor dies from here on; if it died before, nobody holds its end any more.
        sys::check([] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL); }, "tying the pod to its supervisor");
        if (!what.parent.parent_is_gone()) {
            ::umask(0);
            with_context("setting up the pod", [&] { set_up(what); });
        }
    } catch (const Error& error) {
        what.parent.send(error);
    } catch (const std::exception& error) {
        what.parent.send(Error{Error::Kind::system, error.what()});
    }
    ::_exit(254);
}

} // namespace rocket::stage1
