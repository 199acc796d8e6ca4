// SPDX-License-Identifier: Apache-2.0
#include "stage1/teardown.hh"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <vector>

#include "common/sys/cgroup.hh"
#include "common/sys/fd.hh"
#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr int patience_milliseconds = 10'000;
constexpr std::size_t most_borrowed = 16;

// The last close of an inotify descriptor makes the kernel wait for a grace period (fsnotify_destroy_group), 20 to 60
// ms for the three that systemd has, and that is in the way of PID 1's death and so of the pod's end. With a copy of
// each in our hands PID 1 is gone in 1 ms. All of this is only about speed: whatever fails is left alone.
std::vector<Fd> borrow_inotify_descriptors(const Process& init)
{
    std::vector<Fd> borrowed;
    const auto path = fmt::format("/proc/{}/fd", init.pid());
    const std::unique_ptr<DIR, int (*)(DIR*)> dir{::opendir(path.c_str()), ::closedir};
    while (const auto* entry = dir ? ::readdir(dir.get()) : nullptr) {
        char target[32] = {};
        const auto number = text::parse_decimal(entry->d_name, INT32_MAX);
        if (!number || ::readlinkat(::dirfd(dir.get()), entry->d_name, target, sizeof target - 1) < 0 ||
            std::string_view{target} != "anon_inode:inotify" || borrowed.size() == most_borrowed)
            continue;
        Fd copy{static_cast<int>(::syscall(SYS_pidfd_getfd, init.pidfd(), static_cast<int>(*number), 0))};
        if (copy)
            borrowed.push_back(std::move(copy));
    }
    return borrowed;
}

// Closing them here would make us wait in PID 1's place. Instead they go into a socket that holds itself, and that
// nobody else holds: the kernel's collector of such sockets (unix(7), SCM_RIGHTS) closes all of it in its own time.
void leave_to_the_kernel(std::vector<Fd> descriptors)
{
    if (descriptors.empty())
        return;
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    const Fd sender{ends[0]};
    descriptors.emplace_back(ends[1]);

    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * (most_borrowed + 1))] = {};
    char byte = 0;
    iovec data{.iov_base = &byte, .iov_len = 1};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::vector<int> numbers;
    for (const auto& fd : descriptors)
        numbers.push_back(fd.get());
    std::memcpy(CMSG_DATA(header), numbers.data(), sizeof(int) * numbers.size());
    ::sendmsg(sender.get(), &message, MSG_NOSIGNAL);
}

} // namespace

bool tear_down(Process init, const std::string& group, GroupOwner owner)
{
    auto borrowed = borrow_inotify_descriptors(init);
    cgroup::kill(group);
    init.kill(SIGKILL); // it may have left its cgroup, but not its PID namespace
    const bool gone = init.wait_for(patience_milliseconds).has_value();
    if (!gone)
        init.release(); // not killable (it waits for a disk): its death is certain, but not its time
    const bool removed = owner == GroupOwner::host_systemd || cgroup::remove(group, gone ? patience_milliseconds : 0);
    leave_to_the_kernel(std::move(borrowed));
    return gone && removed;
}

} // namespace rocket::stage1
