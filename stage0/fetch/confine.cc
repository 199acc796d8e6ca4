// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/confine.hh"

#include <linux/landlock.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "common/sys/confine.hh"
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

void set_limits()
{
    confine::limit(RLIMIT_CORE, 0);
    confine::limit(RLIMIT_NOFILE, 256);
    confine::limit(RLIMIT_AS, rlim_t{2} << 30); // threads that look names up count with the whole of their stacks
}

void leave_namespaces()
{
    if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) == 0)
        confine::seal_mounts(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

void drop_bounding_set()
{
    for (cap_value_t capability = 0; ::cap_get_bound(capability) >= 0; ++capability)
        sys::check([&] { return ::cap_drop_bound(capability); }, "dropping a capability");
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
        leave_namespaces();
    set_limits();
    if (is_root) {
        drop_bounding_set();
        confine::become(confine::unprivileged_id());
    }
    confine::forbid_privileges();
    confine::die_with_parent(socket_fd);
    restrict_files(certificates);
    allow_client_calls(); // last: everything above needs more
}

} // namespace rocket::fetch
