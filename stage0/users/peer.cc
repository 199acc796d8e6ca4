// SPDX-License-Identifier: Apache-2.0
#include "stage0/users/peer.hh"

#include <linux/nsfs.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <string_view>

#include "common/model/own_users.hh"
#include "common/sys/log.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/sys.hh"
#include "stage0/pod/id_ranges.hh"
#include "stage0/users/machine.hh"
#include "stage0/users/shared_images.hh"

namespace rocket::users
{

namespace
{

namespace words = model::own_users;

bool are_same(const struct stat& one, const struct stat& other)
{
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

class Peer
{
public:
    Peer(int socket, const model::Layout& layout) : socket_{socket}, layout_{layout}, who_{credentials_of(socket)} {}

    void serve();

private:
    void map(const ReceivedFds& asked);
    void answer(const ReceivedFds& asked);
    void name_machine(std::string_view uuid, const ReceivedFds& asked);
    void check_namespace() const;
    Fd open_process(pid_t pid) const;
    void write_map(const Fd& process, const char* name, unsigned root, const model::IdRange& range) const;
    std::vector<Fd> images() const;
    bool waits_for_more() const;

    int socket_;
    const model::Layout& layout_;
    ucred who_;
    Fd users_; // the namespace
    bool has_machine_ = false;
};

// A user namespace that the peer has made, right below ours.
void Peer::check_namespace() const
{
    const auto own = sys::open(AT_FDCWD, "/proc/self/ns/user", O_RDONLY);
    uid_t owner = 0;
    if (::ioctl(users_.get(), NS_GET_NSTYPE) != CLONE_NEWUSER || ::ioctl(users_.get(), NS_GET_OWNER_UID, &owner) != 0)
        fail(Error::Kind::usage, "what was passed is not a user namespace");
    if (owner != who_.uid)
        fail(Error::Kind::usage, "the user namespace is of user {}, not of {}", owner, who_.uid);
    const Fd parent{::ioctl(users_.get(), NS_GET_PARENT)};
    if (parent.get() < 0 || !are_same(sys::stat(parent.get()), sys::stat(own.get())))
        fail(Error::Kind::usage, "the user namespace is not one right below the host's");
}

// The number may be another process's by now: then that one is not in the namespace.
Fd Peer::open_process(pid_t pid) const
{
    auto process = sys::open(AT_FDCWD, fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY);
    const auto its = sys::open(process.get(), "ns/user", O_RDONLY);
    if (!are_same(sys::stat(its.get()), sys::stat(users_.get())))
        fail(Error::Kind::usage, "process {} is not in the user namespace", pid);
    return process;
}

void Peer::write_map(const Fd& process, const char* name, unsigned root, const model::IdRange& range) const
{
    const auto map = sys::open(process.get(), name, O_WRONLY);
    sys::write_all(map.get(), fmt::format("0 {} 1\n1 {} {}\n", root, range.first, range.count - 1));
}

std::vector<Fd> Peer::images() const
{
    std::vector<Fd> images;
    try {
        images.push_back(open_shared_images(layout_, users_.get()));
    } catch (const Error& error) { // no reason not to give ids
        log::print("the host's images are not shown: {}", error.innermost());
    }
    return images;
}

void Peer::map(const ReceivedFds& asked)
{
    if (asked.text != words::map_request || asked.fds.size() != 1)
        fail(Error::Kind::usage, "the request cannot be read");
    users_ = sys::duplicate(asked.fds.front().get());
    check_namespace();
    const auto process = open_process(who_.pid);
    const auto range = pod::reserve_id_range_of_user(layout_, who_.uid);
    write_map(process, "uid_map", who_.uid, range);
    write_map(process, "gid_map", who_.gid, range);
    send_fds(socket_, words::granted, images());
    log::print("user {} has ids {}", who_.uid, range.str());
}

void Peer::name_machine(std::string_view uuid, const ReceivedFds& asked)
{
    if (has_machine_ || asked.fds.size() != 1)
        fail(Error::Kind::usage, "one pod has one machine, and one process that leads it");
    const auto& leader = asked.fds.front();
    const auto pid = process_of(leader.get());
    const auto process = open_process(pid);
    register_machine(layout_, model::PodId::parse(uuid), who_.pid, {pid, leader.get()});
    has_machine_ = true;
}

void Peer::answer(const ReceivedFds& asked)
{
    const std::string_view text = asked.text, use = words::use_request, machine = words::machine_request;
    open_process(who_.pid); // still the one we know
    if (text.starts_with(use))
        record_use(layout_, who_.uid, who_.pid, std::string{text.substr(use.size())});
    else if (text.starts_with(machine))
        name_machine(text.substr(machine.size()), asked);
    else
        fail(Error::Kind::usage, "the request cannot be read");
    send_fds(socket_, words::granted, {});
}

// Whoever fetches images meanwhile needs long; who is silent for longer will not ask.
bool Peer::waits_for_more() const
{
    constexpr int patience_ms = 600'000;
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    return sys::check([&] { return ::poll(&waiting, 1, patience_ms); }, "waiting for the peer") > 0;
}

void Peer::serve()
{
    if (who_.uid == 0)
        fail(Error::Kind::usage, "root has all ids already");
    const auto first = receive_fds(socket_, words::largest_request);
    if (!first)
        return;
    map(*first);
    while (waits_for_more()) {
        const auto asked = receive_fds(socket_, words::largest_request);
        if (!asked)
            return;
        answer(*asked);
    }
}

} // namespace

ucred credentials_of(int socket)
{
    ucred found{};
    socklen_t size = sizeof found;
    sys::check([&] { return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &size); }, "asking who is there");
    return found;
}

void serve_peer(int socket, const model::Layout& layout)
{
    try {
        Peer{socket, layout}.serve();
    } catch (const Error& error) {
        try {
            send_fds(socket, error.innermost(), {});
        } catch (const Error&) { // who has left is not told
        }
        throw;
    }
}

} // namespace rocket::users
