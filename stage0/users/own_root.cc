// SPDX-License-Identifier: Apache-2.0
#include "stage0/users/own_root.hh"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "common/model/own_users.hh"
#include "common/sys/mount.hh"
#include "common/sys/pass_fds.hh"
#include "common/sys/sys.hh"

namespace rocket::users
{

namespace
{

namespace words = model::own_users;

[[noreturn]] void refuse(const std::string& why, std::string hint)
{
    throw Error{Error::Kind::unsupported, "cannot run as unprivileged user: " + why, std::move(hint)};
}

Fd connect_to_host()
{
    Fd socket{sys::check([] { return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0); }, "making a socket")};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, words::socket_path, sizeof address.sun_path - 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return socket;
    const auto why = system_error(errno, words::socket_path);
    if (errno == EACCES)
        refuse(why.what(), "let it have ids of its own: SupplementaryGroups=rocket in the unit");
    refuse(why.what(), "the host has to offer ids: systemctl enable --now rocket-users.socket; or run as root");
}

void unshare_users()
{
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
        return;
    refuse(system_error(errno, "making a user namespace").what(),
           "neither RestrictNamespaces= of the unit nor sysctl user.max_user_namespaces may forbid it");
}

void become_its_root()
{
    sys::check([] { return ::setgroups(0, nullptr); }, "leaving the unit's groups");
    sys::check([] { return ::setresgid(0, 0, 0); }, "becoming group root of the user namespace");
    sys::check([] { return ::setresuid(0, 0, 0); }, "becoming root of the user namespace");
}

} // namespace

bool is_own_root_offered()
{
    return ::access(words::socket_path, F_OK) == 0;
}

Granted become_own_root()
{
    auto host = connect_to_host(); // as who we are: the host looks at the peer
    unshare_users();
    Fd namespaces[1];
    namespaces[0] = sys::open(AT_FDCWD, "/proc/self/ns/user", O_RDONLY);
    send_fds(host.get(), words::map_request, namespaces);
    auto answer = receive_fds(host.get(), words::largest_answer);
    if (!answer || answer->text != words::granted)
        refuse(answer ? text::printable(answer->text) : "rocket-users ended without an answer",
               "see the journal: journalctl -u rocket-users");
    become_its_root();
    Granted given{.host = std::move(host), .images = {}};
    if (!answer->fds.empty())
        given.images = std::move(answer->fds.front());
    return given;
}

std::string state_directory()
{
    const char* const all = std::getenv("STATE_DIRECTORY");
    return all == nullptr ? std::string{} : text::split(all, ':').front();
}

} // namespace rocket::users
