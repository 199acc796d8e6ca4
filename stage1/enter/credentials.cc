// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/credentials.hh"

#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t bit(int capability)
{
    return std::uint64_t{1} << capability;
}

// Effective, permitted and inheritable capabilities.
struct CapabilityState {
    std::uint64_t effective = 0, permitted = 0, inheritable = 0;
    bool operator==(const CapabilityState&) const = default;
};

using CapabilityData = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

CapabilityState current_capabilities()
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    CapabilityData data{};
    sys::check([&] { return ::syscall(SYS_capget, &header, data.data()); }, "reading capabilities");
    const auto join = [](std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; };
    return {join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
            join(data[0].inheritable, data[1].inheritable)};
}

void set_capabilities(std::uint64_t set, std::uint64_t inheritable = 0)
{
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const auto low = static_cast<std::uint32_t>(set);
    const auto high = static_cast<std::uint32_t>(set >> 32);
    CapabilityData data{{{low, low, static_cast<std::uint32_t>(inheritable)},
                         {high, high, static_cast<std::uint32_t>(inheritable >> 32)}}};
    sys::check([&] { return ::syscall(SYS_capset, &header, data.data()); }, "setting capabilities");
}

std::uint64_t current_bounding_set()
{
    std::uint64_t set = 0;
    for (int capability = 0; capability < 64; ++capability)
        if (::prctl(PR_CAPBSET_READ, capability) == 1)
            set |= bit(capability);
    return set;
}

void drop_bounding_set(std::uint64_t keep)
{
    for (int capability = 0; capability < 64 && ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        if ((keep & bit(capability)) == 0)
            sys::check([&] { return ::prctl(PR_CAPBSET_DROP, capability); }, "dropping capability {}", capability);
    sys::check([] { return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); },
               "clearing ambient capabilities");
}

void take_on_ids(const Credentials& who)
{
    const std::vector<gid_t> groups{who.groups.begin(), who.groups.end()};
    sys::check([&] { return ::setgroups(groups.size(), groups.data()); }, "setting supplementary groups");
    sys::check([&] { return ::setresgid(who.gid, who.gid, who.gid); }, "becoming group {}", who.gid);
    sys::check([&] { return ::setresuid(who.uid, who.uid, who.uid); }, "becoming user {}", who.uid);
}

// What survives the exec of a program that is not root's.
void raise_ambient(std::uint64_t set)
{
    set_capabilities(set, set);
    for (int capability = 0; capability < 64; ++capability)
        if ((set & bit(capability)) != 0)
            sys::check([&] { return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0); },
                       "keeping capability {}", capability);
    sys::check([] { return ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0); }, "keeping no other capability");
}

void expect(bool holds, const char* what)
{
    if (!holds)
        fail(Error::Kind::system, "the kernel did not confine the process as told: {} differs", what);
}

bool has_ids(const Credentials& who)
{
    uid_t uid[3];
    gid_t gid[3];
    if (::getresuid(&uid[0], &uid[1], &uid[2]) != 0 || ::getresgid(&gid[0], &gid[1], &gid[2]) != 0)
        return false;
    return std::all_of(uid, uid + 3, [&](uid_t id) { return id == who.uid; }) &&
           std::all_of(gid, gid + 3, [&](gid_t id) { return id == who.gid; });
}

bool has_groups(std::vector<std::uint32_t> expected)
{
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    if (::getgroups(static_cast<int>(groups.size()), groups.data()) != static_cast<int>(groups.size()))
        return false;
    std::sort(groups.begin(), groups.end());
    std::sort(expected.begin(), expected.end());
    return std::equal(groups.begin(), groups.end(), expected.begin(), expected.end());
}

// As PID 1 has it: the primary group is in the list, too, unless it is root's.
std::vector<std::uint32_t> groups_of(std::vector<std::uint32_t> supplementary, std::uint32_t gid)
{
    if (gid != 0 && std::find(supplementary.begin(), supplementary.end(), gid) == supplementary.end())
        supplementary.push_back(gid);
    return supplementary;
}

} // namespace

Credentials credentials_of(const AppSpec& spec)
{
    return credentials_of(spec, spec.uid, spec.gid);
}

Credentials credentials_of(const AppSpec& spec, std::uint32_t uid, std::uint32_t gid)
{
    const bool has_filter = spec.seccomp.mode != SeccompPolicy::Mode::off;
    return {.uid = uid,
            .gid = gid,
            .groups =
                groups_of(uid == 0 && spec.uid != 0 ? std::vector<std::uint32_t>{} : spec.supplementary_gids, gid),
            .bounding_set = spec.bounding_set,
            .ambient_set = uid == spec.uid ? spec.ambient_set : 0,
            .no_new_privileges = spec.no_new_privileges || (has_filter && uid != 0),
            .can_ask_for_filters = allows(spec.seccomp, "prctl"),
            .labels = spec.labels,
            .filters = enter_filters(spec.seccomp, spec.bounding_set)};
}

void take_on(const Credentials& who)
{
    drop_bounding_set(who.bounding_set);
    const auto ambient = who.uid != 0 ? who.ambient_set & current_capabilities().permitted : 0;
    if (ambient != 0)
        sys::check([] { return ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }, "keeping capabilities");
    take_on_ids(who); // a user other than root loses all others here
    CapabilityState expected;
    if (ambient != 0) {
        raise_ambient(ambient);
        expected = {ambient, ambient, ambient};
    }
    if (who.uid == 0) {
        auto kept = who.bounding_set & current_capabilities().permitted;
        if (!who.filters.empty() && !who.no_new_privileges)
            kept |= bit(CAP_SYS_ADMIN);
        set_capabilities(kept);
        expected = {kept, kept, 0};
    }
    if (who.no_new_privileges)
        sys::check([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }, "setting no_new_privs");

    expect(has_ids(who), "the user or group id");
    expect(has_groups(who.groups), "the list of groups");
    expect((current_bounding_set() & ~who.bounding_set) == 0, "the capability bounding set");
    expect(current_capabilities() == expected, "the set of capabilities");
    expect(!who.no_new_privileges || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs");
}

void install_filters(const Credentials& who)
{
    for (const auto& filter : who.filters)
        install_filter(
            filter); // nothing to read back: it is in force when the call returns, prctl(2) maybe not allowed
}

} // namespace rocket::stage1
