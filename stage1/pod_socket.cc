// SPDX-License-Identifier: Apache-2.0
#include "stage1/pod_socket.hh"

#include <linux/openat2.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

sockaddr_un address_of(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        fail(Error::Kind::system, "socket path {} is too long", text::quoted(path));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

// The peer's credentials are those of whoever calls connect(2), and systemd and journald drop a peer whose pid they
// cannot see. So a child inside the pod's PID namespace makes the call, on the socket that it shares with us: it
// exists for this one system call (vfork), before anything could find it there. Returns an errno value.
// Systemd takes orders from root only: where the pod has a user namespace, that is the one in there.
int connect_as_root(int socket, const sockaddr_un& address, int init_pidfd)
{
    if (::setns(init_pidfd, CLONE_NEWUSER) == 0) {
        if (::syscall(SYS_setresgid, 0, 0, 0) != 0 || ::syscall(SYS_setresuid, 0, 0, 0) != 0)
            return errno;
    } else if (errno != EINVAL) { // it is our own
        return errno;
    }
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

// The exit status that stands for how a child ended; killed: the pod is ending.
int errno_of(pid_t child)
{
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) < 0)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECONNREFUSED;
}

// A process's children are in the namespace that it has joined, not the process; and root of a user namespace does not
// come back to where it was. So the child is a grandchild.
int connect_from_inside(int socket, const sockaddr_un& address, int init_pidfd)
{
    const pid_t between = ::vfork();
    if (between == 0) {
        if (::setns(init_pidfd, CLONE_NEWPID) != 0)
            ::_exit(errno);
        const pid_t inside = ::vfork();
        if (inside == 0)
            ::_exit(connect_as_root(socket, address, init_pidfd));
        ::_exit(errno_of(inside));
    }
    return errno_of(between);
}

} // namespace

std::optional<Fd> connect_in_pod(int run, const std::string& path, int init_pidfd)
{
    const auto place = sys::open_resolved_if_exists(run, path, O_PATH | O_NOFOLLOW | O_CLOEXEC,
                                                    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
    if (!place)
        return std::nullopt;
    if (!S_ISSOCK(sys::stat(place->get()).st_mode))
        fail(Error::Kind::corrupt, "{} in the pod's /run is not a socket", text::quoted(path));

    Fd socket{sys::check([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }, "making a socket")};
    const auto address = address_of(sys::proc_path(place->get()));
    const int failed = connect_from_inside(socket.get(), address, init_pidfd);
    if (failed == ECONNREFUSED) // bound, but not listening yet; or not any more
        return std::nullopt;
    if (failed != 0)
        throw system_error(failed, fmt::format("connecting to {} in the pod", text::quoted(path)));
    return socket;
}

Fd bind_open_socket(int run, const std::string& name)
{
    Fd socket{
        sys::check([] { return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }, "making a socket")};
    sys::unlink_if_exists(run, name);                                                    // of the app's last start
    sys::check([&] { return ::fchmod(socket.get(), 0666); }, "opening a socket to all"); // its file will be the same
    const auto address = address_of(sys::proc_path(run) + '/' + name);
    const auto mask = ::umask(0);
    const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int error = errno;
    ::umask(mask);
    if (bound != 0)
        throw system_error(error, fmt::format("binding {} in the pod's /run", text::quoted(name)));
    return socket;
}

Fd bind_notify_socket(int run)
{
    Fd socket{
        sys::check([] { return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }, "making a socket")};
    const auto address = address_of(sys::proc_path(run) + '/' + notify_socket_name);
    sys::check([&] { return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address); },
               "binding {} in the pod's /run", text::quoted(notify_socket_name));
    const auto owner = sys::stat(run); // whose PID 1 is to write to it
    sys::check([&] { return ::fchownat(run, notify_socket_name, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW); },
               "giving {} to the pod", text::quoted(notify_socket_name));
    return socket;
}

} // namespace rocket::stage1
