// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/confine.hh"

#include <grp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage0/unpack/identity_namespace.hh"
#include "stage0/unpack/system_calls.hh"

namespace rocket::unpack
{

namespace
{

constexpr uid_t nobody = 65534;

bool is_root()
{
    return ::geteuid() == 0;
}

void limit(__rlimit_resource resource, rlim_t value, std::string_view name)
{
    rlimit old{};
    sys::check([&] { return ::getrlimit(resource, &old); }, "reading the limit {}", name);
    if (old.rlim_max != RLIM_INFINITY && old.rlim_max < value) // lower already, and only root could raise it
        value = old.rlim_max;
    // One more second of processor time between the signal that says so and the one that cannot be misread.
    const rlimit wanted{.rlim_cur = value, .rlim_max = resource == RLIMIT_CPU ? value + 1 : value};
    sys::check([&] { return ::setrlimit(resource, &wanted); }, "setting the limit {}", name);
}

void set_limits(const Limits& limits)
{
    limit(RLIMIT_AS, limits.memory_bytes, "address space");
    limit(RLIMIT_CPU, limits.cpu_seconds, "processor time");
    limit(RLIMIT_NOFILE, 64, "open files");
    limit(RLIMIT_CORE, 0, "core file");
}

// Keeps 0, 1, 2 and those named, in rising order.
void close_others(std::initializer_list<int> kept)
{
    int next = 3;
    for (const int fd : kept) {
        sys::check([&] { return ::fcntl(fd, F_GETFD); }, "using a descriptor that was passed");
        if (fd > next)
            sys::check([&] { return ::close_range(static_cast<unsigned>(next), static_cast<unsigned>(fd) - 1, 0); },
                       "closing descriptors");
        next = fd + 1;
    }
    sys::check([&] { return ::close_range(static_cast<unsigned>(next), ~0U, 0); }, "closing descriptors");
}

// A process without privilege gets namespaces only inside a user namespace of its own, and not on every host.
void leave_namespaces()
{
    constexpr int all = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (!is_root()) {
        [[maybe_unused]] const int best_effort = ::unshare(CLONE_NEWUSER | all);
        return;
    }
    sys::check([] { return ::unshare(all); }, "leaving the host's namespaces");
    sys::check([] { return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr); },
               "separating the mounts from the host's");
}

// `tree`, a detached mount, becomes the root of this mount namespace; nothing else is left in it.
void enter_root(const Fd& tree)
{
    const auto old_root = sys::open(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
    mount::attach(tree.get(), old_root.get());
    sys::check([&] { return ::fchdir(tree.get()); }, "entering the new root");
    sys::check([] { return ::syscall(SYS_pivot_root, ".", "."); }, "changing the root");
    sys::check([] { return ::umount2(".", MNT_DETACH); }, "leaving the old root");
    sys::check([] { return ::chdir("/"); }, "entering the new root");
}

void enter_empty_root()
{
    if (!is_root())
        return;
    enter_root(mount::NewFilesystem{"tmpfs"}
                   .set("size", "4k")
                   .create(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

void drop_bounding_set(const std::vector<cap_value_t>& kept)
{
    for (cap_value_t capability = 0; ::cap_get_bound(capability) >= 0; ++capability)
        if (std::find(kept.begin(), kept.end(), capability) == kept.end())
            sys::check([&] { return ::cap_drop_bound(capability); }, "dropping a capability");
}

void set_capabilities(const std::vector<cap_value_t>& kept)
{
    const std::unique_ptr<std::remove_pointer_t<cap_t>, int (*)(void*)> set{::cap_init(), ::cap_free};
    for (const auto flag : {CAP_PERMITTED, CAP_EFFECTIVE})
        if (!kept.empty())
            ::cap_set_flag(set.get(), flag, static_cast<int>(kept.size()), kept.data(), CAP_SET);
    sys::check([&] { return ::cap_set_proc(set.get()); }, "dropping capabilities");
}

void become_nobody()
{
    if (is_root()) {
        drop_bounding_set({});
        sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
        sys::check([] { return ::setresgid(nobody, nobody, nobody); }, "dropping the group");
        sys::check([] { return ::setresuid(nobody, nobody, nobody); }, "dropping the user");
        // One more wall, where the kernel lets nobody build it. Root in there is nobody out here.
        if (::unshare(CLONE_NEWUSER) == 0)
            drop_bounding_set({});
    }
    set_capabilities({});
}

void forbid_new_privileges()
{
    sys::check([] { return ::prctl(PR_SET_DUMPABLE, 0); }, "forbidding to be traced");
    sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "forbidding new privileges");
}

// Only making things, and only below `root`: one more wall in case the mount namespace has a hole.
void restrict_to(const Fd& root, TreeRights rights)
{
    std::uint64_t making = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                           LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO;
    if (rights.devices)
        making |= LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    if (rights.layer) // a white-out is a character device, which takes no privilege
        making |= LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
    std::uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1; // what the first version knew
    const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) // not in this kernel, or switched off at boot
        return;
    if (version >= 2) { // without this right, links between directories are refused
        all |= LANDLOCK_ACCESS_FS_REFER;
        making |= LANDLOCK_ACCESS_FS_REFER;
    }
    const landlock_ruleset_attr attributes{.handled_access_fs = all};
    const Fd rules{static_cast<int>(
        sys::check([&] { return ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0); },
                   "making Landlock rules"))};
    const landlock_path_beneath_attr below{.allowed_access = making, .parent_fd = root.get()};
    sys::check([&] { return ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &below, 0); },
               "adding a Landlock rule");
    sys::check([&] { return ::syscall(SYS_landlock_restrict_self, rules.get(), 0); }, "applying Landlock rules");
}

std::optional<Fd> try_identity_namespace(const std::function<void(const std::string&)>& note)
{
    try {
        return make_identity_namespace();
    } catch (const Error& error) {
        note(fmt::format("unpacking with capabilities of the host's: {}", error.innermost()));
        return std::nullopt;
    }
}

void allow_tree(TreeRights rights)
{
    if (rights.layer)
        allow_only({stream_calls, tree_calls, replacing_calls});
    else
        allow_only({stream_calls, tree_calls});
}

// The caller's own rights are all there is to be had: the tree's files become the caller's.
Fd confine_unprivileged_extractor(const Limits& limits, int report, int tree, TreeRights rights)
{
    close_others({report, tree});
    leave_namespaces();
    Fd root{tree};
    sys::set_cloexec(root.get(), true);
    set_capabilities({});
    set_limits(limits);
    forbid_new_privileges();
    restrict_to(root, rights);
    allow_tree(rights);
    return root;
}

} // namespace

void confine_decompressor(const Limits& limits, int report)
{
    close_others({report});
    leave_namespaces();
    enter_empty_root();
    become_nobody();
    set_limits(limits);
    forbid_new_privileges();
    allow_only({stream_calls}); // last: everything above needs more
}

Fd confine_extractor(const Limits& limits, int report, int tree, TreeRights rights,
                     const std::function<void(const std::string&)>& note)
{
    if (tree < 0) {
        confine_decompressor(limits, report);
        return {};
    }
    if (!is_root())
        return confine_unprivileged_extractor(limits, report, tree, {.layer = rights.layer});
    // Cloned before the namespace changes: a mount of the old one could not be used in the new one. Nobody but us
    // ever sees this copy, in which set-user-id and device files are inert.
    const auto copy = mount::clone(tree, false);
    mount::set_propagation(copy.get(), MS_PRIVATE, false); // a peer of the host's could not become a root
    mount::set_attributes(copy.get(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, false);
    auto users = rights.devices ? std::nullopt : try_identity_namespace(note);
    leave_namespaces();
    enter_root(copy);
    if (users) // the mounts above stay the host's: in there, nobody can change them
        sys::check([&] { return ::setns(users->get(), CLONE_NEWUSER); }, "entering a user namespace");
    users.reset();
    close_others({report}); // `tree` and the copy included: the way in is the root directory
    auto root = sys::open(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);

    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    std::vector<cap_value_t> kept{CAP_CHOWN, CAP_FOWNER, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_SETFCAP};
    if (rights.devices)
        kept.push_back(CAP_MKNOD);
    drop_bounding_set(kept);
    set_capabilities(kept);
    set_limits(limits);
    forbid_new_privileges();
    restrict_to(root, rights);
    allow_tree(rights); // last: everything above needs more
    return root;
}

Fd confine_packer(int report, int tree)
{
    const Limits limits{.memory_bytes = std::uint64_t{1} << 30U, .cpu_seconds = 3600};
    Fd root{tree};
    leave_namespaces();
    mount::set_attributes(root.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0,
                          false);
    enter_root(root);
    close_others({report});
    [[maybe_unused]] const int closed = root.release();
    auto inside = sys::open(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
    sys::check([] { return ::setgroups(0, nullptr); }, "dropping groups");
    const std::vector<cap_value_t> kept{CAP_DAC_READ_SEARCH};
    drop_bounding_set(kept);
    set_capabilities(kept);
    set_limits(limits);
    forbid_new_privileges();
    allow_only({stream_calls, reading_calls}); // last: everything above needs more
    return inside;
}

} // namespace rocket::unpack
