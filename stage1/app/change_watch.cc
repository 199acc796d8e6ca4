// SPDX-License-Identifier: Apache-2.0
#include "stage1/app/change_watch.hh"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/model/layout.hh"
#include "common/sys/lock.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

ChangeWatch::ChangeWatch(EventLoop& loop, int pod_dir, Abandoned abandoned)
    : pod_dir_{pod_dir}, abandoned_{std::move(abandoned)}
{
    const auto file = sys::open(pod_dir_, model::pod_dir::change, O_RDONLY | O_CREAT | O_NOFOLLOW, 0644);
    watch_ = Fd{sys::check([] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }, "making a watch")};
    sys::check([&] { return ::inotify_add_watch(watch_.get(), sys::proc_path(file.get()).c_str(), IN_CLOSE_WRITE); },
               "watching the pod's file {}", model::pod_dir::change);
    closed_ = loop.on_io(watch_.get(), EPOLLIN, [this](std::uint32_t) {
        char events[4096];
        [[maybe_unused]] const auto size = ::read(watch_.get(), events, sizeof events); // the file says what is new
        look();
    });
}

// Opened for reading only: closing it is no news.
void ChangeWatch::look()
{
    constexpr std::size_t longest_name = 4096;
    const auto lock =
        Lock::try_take(sys::open(pod_dir_, model::pod_dir::change, O_RDONLY | O_NOFOLLOW), Lock::Mode::exclusive);
    if (!lock)
        return; // whoever has it says what becomes of it
    const auto name = sys::read_to_end(lock->fd(), longest_name);
    if (!name.empty())
        abandoned_(model::AppName::parse(name));
}

} // namespace rocket::stage1
