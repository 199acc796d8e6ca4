// SPDX-License-Identifier: Apache-2.0
#include "stage1/steps.hh"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "common/sys/log.hh"
#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "common/sys/with_hint.hh"
#include "stage1/resolve.hh"

namespace rocket::stage1
{

void make_mounts_private(Construction&)
{
    mount::set_propagation(sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY).get(), MS_PRIVATE, true);
}

void set_host_name(Construction& pod)
{
    if (!pod.plan.new_uts)
        return;
    const auto& name = pod.plan.hostname;
    with_hint(EPERM, "ProtectHostname= of the unit may not forbid it: the pod has a name of its own", [&] {
        sys::check([&] { return ::sethostname(name.data(), name.size()); }, "setting it to {}", text::quoted(name));
    });
}

// The kernel gives it 127.0.0.1/8 and ::1 when it comes up.
void start_loopback(Construction& pod)
{
    if (!pod.plan.new_network)
        return;
    const Fd socket{
        with_hint(EAFNOSUPPORT, "RestrictAddressFamilies= of the unit has to allow AF_INET, or: --net=host", [] {
            return sys::check([] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }, "opening a socket");
        })};
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    sys::check([&] { return ::ioctl(socket.get(), SIOCSIFFLAGS, &request); }, "setting it up");
}

void resolve_apps(Construction& pod)
{
    for (std::size_t index = 0; index < pod.apps.size(); ++index)
        pod.specs.push_back(resolve_app(pod, index));
}

namespace
{

// A failed system call says little by itself, and a user sees the last cause only: it gets the step's name, too.
[[noreturn]] void rethrow_with_step(const Error& error, const char* doing)
{
    if (error.kind() != Error::Kind::system && error.kind() != Error::Kind::not_found)
        throw Error{error};
    Error clearer{error.kind(), fmt::format("{}: {}", doing, error.what()), error.hint()};
    clearer.set_error_number(error.error_number());
    throw clearer;
}

} // namespace

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

void run_child(const Channel& parent, const std::function<void()>& act) noexcept
{
    try {
        // The signal comes when the supervisor dies from here on; if it died before, nobody holds its end any more.
        sys::check([] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL); }, "tying the pod to its supervisor");
        if (!parent.parent_is_gone()) {
            ::umask(0);
            with_context("setting up the pod", act);
        }
    } catch (const Error& error) {
        parent.send(error);
    } catch (const std::exception& error) {
        parent.send(Error{Error::Kind::system, error.what()});
    }
    ::_exit(254);
}

} // namespace rocket::stage1
