// SPDX-License-Identifier: Apache-2.0
#include "common/sys/confine.hh"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"

namespace rocket::confine
{

void limit(__rlimit_resource resource, rlim_t value)
{
    rlimit old{};
    sys::check([&] { return ::getrlimit(resource, &old); }, "reading a limit");
    if (old.rlim_max != RLIM_INFINITY && old.rlim_max < value)
        value = old.rlim_max;
    const rlimit both{value, value};
    sys::check([&] { return ::setrlimit(resource, &both); }, "limiting resources");
}

void seal_mounts(std::uint64_t attributes)
{
    const auto root = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    mount::set_propagation(root.get(), MS_PRIVATE, true);
    mount::set_attributes(root.get(), attributes | MOUNT_ATTR_RDONLY, 0, true);
    constexpr std::uint64_t plain = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
    const auto nothing = mount::NewFilesystem{"tmpfs"}.set("mode", "0555").set("size", "4k").create(plain);
    mount::attach(nothing.get(), sys::open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY).get());
}

uid_t unprivileged_id()
{
    constexpr uid_t first = 61184;
    constexpr uid_t last = 65519;
    unsigned random = 0;
    sys::random_bytes(&random, sizeof random);
    return first + random % (last - first + 1);
}

void become(uid_t id)
{
    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    sys::check([&] { return ::setresgid(id, id, id); }, "changing the group");
    sys::check([&] { return ::setresuid(id, id, id); }, "changing the user");
}

void forbid_privileges()
{
    sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "refusing new privileges");
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    sys::check([&] { return ::syscall(SYS_capset, &header, none.data()); }, "dropping capabilities");
    sys::check([] { return ::prctl(PR_SET_DUMPABLE, 0); }, "forbidding to be traced");
}

void die_with_parent(int lifeline)
{
    sys::check([] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL); }, "tying our life to the parent's");
    pollfd parent{.fd = lifeline, .events = 0, .revents = 0};
    if (::poll(&parent, 1, 0) != 0) // it died before the line above
        ::_exit(254);
}

} // namespace rocket::confine
