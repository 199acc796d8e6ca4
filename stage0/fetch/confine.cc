// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/confine.hh"

#include <grp.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <type_traits>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage0/fetch/protocol.hh"
#include "stage0/fetch/system_calls.hh"

namespace rocket::fetch
{

namespace
{

// Where resolvers, their configuration, certificates and the libraries behind them are, on one distribution or another.
constexpr std::array readable{
    "/etc", "/usr", "/lib", "/lib64", "/run", "/var/run", "/var/lib/ca-certificates", "/nix/store", "/gnu/store"};

void limit(__rlimit_resource resource, rlim_t value)
{
    rlimit old{};
    sys::check([&] { return ::getrlimit(resource, &old); }, "reading a limit");
    if (old.rlim_max != RLIM_INFINITY && old.rlim_max < value)
        value = old.rlim_max;
    const rlimit both{value, value};
    sys::check([&] { return ::setrlimit(resource, &both); }, "limiting resources");
}

void set_limits()
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 256);
    limit(RLIMIT_AS, rlim_t{2} << 30); // threads that look names up count with the whole of their stacks
}

// A copy of the mounts in which nothing can be written and no process can be seen.
void leave_mounts()
{
    if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
        return;
    const auto root = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    mount::set_propagation(root.get(), MS_PRIVATE, true);
    mount::set_attributes(root.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, true);
    constexpr std::uint64_t plain = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
    const auto nothing = mount::NewFilesystem{"tmpfs"}.set("mode", "0555").set("size", "4k").create(plain);
    mount::attach(nothing.get(), sys::open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY).get());
}

// Nobody's number, and a different one each time: from the range systemd gives to services as DynamicUser.
uid_t unprivileged_id()
{
    constexpr uid_t first = 61184;
    constexpr uid_t last = 65519;
    unsigned random = 0;
    sys::random_bytes(&random, sizeof random);
    return first + random % (last - first + 1);
}

void become_nobody()
{
    for (cap_value_t capability = 0; ::cap_get_bound(capability) >= 0; ++capability)
        sys::check([&] { return ::cap_drop_bound(capability); }, "dropping a capability");
    const auto id = unprivileged_id();
    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    sys::check([&] { return ::setresgid(id, id, id); }, "changing the group");
    sys::check([&] { return ::setresuid(id, id, id); }, "changing the user");
}

void forbid_new_privileges()
{
    const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> none{::cap_init(), ::cap_free};
    sys::check([&] { return ::cap_set_proc(none.get()); }, "dropping capabilities");
    sys::check([] { return ::prctl(PR_SET_DUMPABLE, 0); }, "forbidding to be traced");
    sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "forbidding new privileges");
}

// Changing ids has undone what was set when we were started.
void die_with_broker()
{
    sys::check([] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL); }, "tying our life to the broker's");
    pollfd broker{.fd = socket_fd, .events = 0, .revents = 0};
    if (::poll(&broker, 1, 0) != 0) // it died before the line above
        ::_exit(254);
}

void allow_reading(const Fd& rules, const std::string& path)
{
    const auto place = sys::open_if_exists(AT_FDCWD, path, O_PATH);
    if (!place)
        return;
    landlock_path_beneath_attr rule{.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = place->get()};
    if (S_ISDIR(sys::stat(place->get()).st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    sys::check([&] { return ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0); },
               "adding a Landlock rule");
}

void restrict_files(const std::string& certificates)
{
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
        return; // not in this kernel, or switched off at boot
    const landlock_ruleset_attr attributes{.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1};
    const Fd rules{static_cast<int>(
        sys::check([&] { return ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0); },
                   "making Landlock rules"))};
    for (const auto* path : readable)
        allow_reading(rules, path);
    allow_reading(rules, "/etc/resolv.conf"); // which may be a link to anywhere
    if (!certificates.empty())
        allow_reading(rules, certificates);
    sys::check([&] { return ::syscall(SYS_landlock_restrict_self, rules.get(), 0); }, "applying Landlock rules");
}

} // namespace

void confine(const std::string& certificates)
{
    const bool is_root = ::geteuid() == 0;
    if (is_root)
        leave_mounts();
    set_limits();
    if (is_root)
        become_nobody();
    forbid_new_privileges();
    die_with_broker();
    restrict_files(certificates);
    allow_client_calls(); // last: everything above needs more
}

} // namespace rocket::fetch
