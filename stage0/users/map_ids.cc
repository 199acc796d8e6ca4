// SPDX-License-Identifier: Apache-2.0
// The program behind rocket-users.socket: gives the ids of a range to the user namespace of whoever is at the other end
// of stdin, its user as root and the rest as what nobody else has; then shows it the images of the host's store, and
// keeps those that it says it uses. It runs as root and trusts nothing that it is told: the kernel says who the peer
// is, whose the namespace is and which process is in it. Exit status: 0 if the ids were given.
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sys/log.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"
#include "config.hh"
#include "stage0/pod/id_ranges.hh"
#include "stage0/users/own_root.hh"
#include "stage0/users/shared_images.hh"

namespace
{

using namespace rocket;

constexpr int peer = STDIN_FILENO;
constexpr std::size_t request_limit = 256;
constexpr int patience_ms = 60'000;

ucred credentials_of_peer()
{
    ucred found{};
    socklen_t size = sizeof found;
    sys::check([&] { return ::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &found, &size); }, "asking who is there");
    return found;
}

bool are_same(const struct stat& one, const struct stat& other)
{
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// A user namespace that the peer has made, right below ours.
void check_namespace(int users, const ucred& who)
{
    const auto own = sys::open(AT_FDCWD, "/proc/self/ns/user", O_RDONLY);
    uid_t owner = 0;
    if (::ioctl(users, NS_GET_NSTYPE) != CLONE_NEWUSER || ::ioctl(users, NS_GET_OWNER_UID, &owner) != 0)
        fail(Error::Kind::usage, "what was passed is not a user namespace");
    if (owner != who.uid)
        fail(Error::Kind::usage, "the user namespace is of user {}, not of {}", owner, who.uid);
    const Fd parent{::ioctl(users, NS_GET_PARENT)};
    if (parent.get() < 0 || !are_same(sys::stat(parent.get()), sys::stat(own.get())))
        fail(Error::Kind::usage, "the user namespace is not one right below the host's");
}

// The number may be another process's by now: then that one is not in the namespace.
Fd open_process(int users, const ucred& who)
{
    auto process = sys::open(AT_FDCWD, fmt::format("/proc/{}", who.pid), O_PATH | O_DIRECTORY);
    const auto its = sys::open(process.get(), "ns/user", O_RDONLY);
    if (!are_same(sys::stat(its.get()), sys::stat(users)))
        fail(Error::Kind::usage, "process {} is not in the user namespace", who.pid);
    return process;
}

void write_map(const Fd& process, const char* name, unsigned root, const model::IdRange& range)
{
    const auto map = sys::open(process.get(), name, O_WRONLY);
    sys::write_all(map.get(), fmt::format("0 {} 1\n1 {} {}\n", root, range.first, range.count - 1));
}

std::vector<Fd> images_for(const model::Layout& layout, int users)
{
    std::vector<Fd> images;
    try {
        images.push_back(users::open_shared_images(layout, users));
    } catch (const Error& error) { // no reason not to give ids
        log::print("the host's images are not shown: {}", error.innermost());
    }
    return images;
}

// Each image that the peer's pod is going to use, until it has no more to ask.
void keep_images(const model::Layout& layout, int users, const ucred& who)
{
    pollfd waiting{.fd = peer, .events = POLLIN, .revents = 0};
    while (sys::check([&] { return ::poll(&waiting, 1, patience_ms); }, "waiting for the peer") > 0) {
        const auto asked = receive_fds(peer, request_limit);
        if (!asked)
            return;
        open_process(users, who); // still the one we know
        users::record_use(layout, who.uid, who.pid, asked->text);
        send_fds(peer, users::granted, {});
    }
}

void serve()
{
    const auto who = credentials_of_peer();
    if (who.uid == 0)
        fail(Error::Kind::usage, "root has all ids already");
    const auto asked = receive_fds(peer, request_limit);
    if (!asked || asked->text != users::request || asked->fds.size() != 1)
        fail(Error::Kind::usage, "the request cannot be read");
    const int users = asked->fds.front().get();
    check_namespace(users, who);
    const auto process = open_process(users, who);
    const model::Layout layout{ROCKET_DATA_DIR};
    const auto range = pod::reserve_id_range_of_user(layout, who.uid);
    write_map(process, "uid_map", who.uid, range);
    write_map(process, "gid_map", who.gid, range);
    send_fds(peer, users::granted, images_for(layout, users));
    log::print("user {} has ids {}", who.uid, range.str());
    keep_images(layout, users, who);
}

} // namespace

int main()
{
    ensure_standard_fds();
    log::set_prefix("map-ids");
    try {
        serve();
        return 0;
    } catch (const Error& error) {
        log::error(error);
        try {
            send_fds(peer, error.innermost(), {});
        } catch (const Error&) { // who has left is not told
        }
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    return 1;
}
