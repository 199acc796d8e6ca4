// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/wait.hh"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>

#include <array>
#include <climits>
#include <thread>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"

namespace rocket::pod
{

namespace
{

using Clock = std::chrono::steady_clock;

class Watch
{
public:
    explicit Watch(const Pod& pod)
        : changes_{sys::check([] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }, "watching the pod")},
          unlocked_{sys::check([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }, "watching the pod")}
    {
        constexpr std::uint32_t events = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF;
        const auto path = sys::proc_path(pod.fd());
        sys::check([&] { return ::inotify_add_watch(changes_.get(), path.c_str(), events); }, "watching the pod");
    }

    // Waits for the lock once its present owner is known to be there; the kernel has no way to poll for that. The
    // thread may outlive the wait: it owns all it touches, and dies with the process.
    void watch_lock(const Pod& pod)
    {
        if (waiting_for_lock_)
            return;
        waiting_for_lock_ = true;
        std::thread{[dir = pod.reopen(), event = sys::duplicate(unlocked_.get())] {
            while (::flock(dir.get(), LOCK_SH) != 0 && errno == EINTR) {
            }
            ::eventfd_write(event.get(), 1);
        }}.detach();
    }

    bool wait(Deadline deadline)
    {
        std::array<pollfd, 2> fds{{{changes_.get(), POLLIN, 0}, {unlocked_.get(), POLLIN, 0}}};
        const auto ready = ::poll(fds.data(), fds.size(), milliseconds_until(deadline));
        if (ready < 0 && errno != EINTR)
            throw system_error(errno, "waiting for the pod");
        std::array<char, 4096> ignored{}; // what has changed is looked up, not believed
        while (::read(changes_.get(), ignored.data(), ignored.size()) > 0) {
        }
        if (::read(unlocked_.get(), ignored.data(), ignored.size()) > 0)
            waiting_for_lock_ = false;
        return ready != 0;
    }

private:
    static int milliseconds_until(Deadline deadline)
    {
        if (!deadline)
            return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
    }

    Fd changes_;
    Fd unlocked_;
    bool waiting_for_lock_ = false;
};

bool is_owned(State state)
{
    return state == State::preparing || state == State::running || state == State::exited_deleting ||
           state == State::deleting;
}

} // namespace

bool wait_until(Pod& pod, const std::function<bool(const Pod&)>& done, Deadline deadline)
{
    Watch watch{pod}; // before the first look: nothing that happens after it is missed
    for (;;) {
        pod.refresh();
        if (done(pod))
            return true;
        if (is_owned(pod.state()))
            watch.watch_lock(pod);
        if (!watch.wait(deadline))
            return false;
    }
}

bool is_ready(const Pod& pod)
{
    const auto status = file::read_if_exists(pod.fd(), model::pod_dir::supervisor_status, 4096);
    return status && status->starts_with("ready");
}

} // namespace rocket::pod
