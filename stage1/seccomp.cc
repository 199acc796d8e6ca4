// SPDX-License-Identifier: Apache-2.0
#include "stage1/seccomp.hh"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

#include "common/sys/error.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage1/seccomp_sets.hh"

namespace rocket::stage1
{

namespace
{

// The last call that the oldest supported libseccomp (2.5.4, Linux 5.17) knows: set_mempolicy_home_node. Up to here
// the units can refuse by name; the pod filter refuses what is younger, but for those of default_allowed_syscalls().
constexpr int last_nameable_call = 450;

// Since Linux 5.0 new calls have the same number on every architecture we build for.
struct YoungCall {
    const char* name;
    int number;
};
constexpr YoungCall young_calls[] = {
    {"cachestat", 451},        {"fchmodat2", 452},   {"map_shadow_stack", 453},
    {"futex_wake", 454},       {"futex_wait", 455},  {"futex_requeue", 456},
    {"statmount", 457},        {"listmount", 458},   {"lsm_get_self_attr", 459},
    {"lsm_list_modules", 461}, {"mseal", 462},       {"setxattrat", 463},
    {"getxattrat", 464},       {"listxattrat", 465}, {"removexattrat", 466},
};

// What PID 1's child still has to do with the filter in place, and what every life ends with (SEC-5).
constexpr std::array life_cycle_calls = {"execve", "exit", "exit_group", "rt_sigreturn", "sigreturn"};

struct Family {
    const char* name;
    unsigned number;
};
constexpr Family allowed_families[] = {{"AF_UNIX", AF_UNIX},
                                       {"AF_INET", AF_INET},
                                       {"AF_INET6", AF_INET6},
                                       {"AF_NETLINK", AF_NETLINK},
                                       {"AF_PACKET", AF_PACKET}};

using Context = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

bool has(std::uint64_t set, unsigned bit)
{
    return ((set >> bit) & 1U) != 0;
}

void sort_unique(std::vector<std::string>& names)
{
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::optional<int> error_by_name(const std::string& name)
{
    constexpr std::pair<const char*, int> aliases[] = {
        {"EWOULDBLOCK", EWOULDBLOCK}, {"ENOTSUP", ENOTSUP}, {"EDEADLOCK", EDEADLOCK}};
    for (const auto& [alias, number] : aliases)
        if (name == alias)
            return number;
    for (int number = 1; number <= EHWPOISON; ++number)
        if (const char* known = ::strerrorname_np(number); known != nullptr && name == known)
            return number;
    return std::nullopt;
}

bool contains(const std::vector<std::string>& set, const char* name)
{
    return std::find(set.begin(), set.end(), name) != set.end();
}

// Wildcards replaced by what they stand for; unknown plain names reported and left out (SEC-12).
std::vector<std::string> expand(const std::vector<std::string>& set, std::vector<std::string>& reports)
{
    std::vector<std::string> names;
    for (const auto& entry : set) {
        if (!entry.starts_with('@')) {
            if (is_known_syscall(entry))
                names.push_back(entry);
            else
                reports.push_back(
                    fmt::format("seccomp: system call {} is not known here, ignored", text::quoted(entry)));
            continue;
        }
        const auto named = named_seccomp_set(entry);
        if (!named)
            throw Error{Error::Kind::usage, fmt::format("unknown seccomp set {}", text::quoted(entry)),
                        "sets are @rkt/default-whitelist, @rkt/default-blacklist, @docker/default-whitelist, "
                        "@docker/default-blacklist, @appc.io/all, @appc.io/empty and @systemd/..."};
        std::copy_if(named->begin(), named->end(), std::back_inserter(names), is_known_syscall);
    }
    sort_unique(names);
    return names;
}

void check_call(int result, const char* doing)
{
    if (result < 0)
        throw system_error(-result, fmt::format("seccomp: {}", doing));
}

Context new_context(std::uint32_t default_action)
{
    Context context{seccomp_init(default_action), seccomp_release};
    if (!context)
        fail(Error::Kind::system, "seccomp: cannot make a filter");
    check_call(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "setting attributes");
    return context;
}

BpfProgram exported(const Context& context)
{
    const auto memory = sys::make_memfd("seccomp");
    check_call(seccomp_export_bpf(context.get(), memory.get()), "compiling a filter");
    BpfProgram program(static_cast<std::size_t>(sys::stat(memory.get()).st_size) / sizeof(sock_filter));
    sys::check([&] { return ::pread(memory.get(), program.data(), program.size() * sizeof(sock_filter), 0); },
               "reading a seccomp filter");
    return program;
}

void add_rule(const Context& context, std::uint32_t action, const std::string& name)
{
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number < 0) // of another architecture: nobody can call it here
        return;
    check_call(seccomp_rule_add_exact(context.get(), action, number, 0), name.c_str());
}

// Layer 2, or the whole of a policy by isolator: what SystemCallFilter= makes of it.
BpfProgram call_filter(const SeccompPolicy& policy)
{
    const auto refuse = policy.error ? SCMP_ACT_ERRNO(static_cast<unsigned>(*policy.error)) : SCMP_ACT_KILL_PROCESS;
    const bool allow_list = policy.mode == SeccompPolicy::Mode::allow;
    const auto context = new_context(allow_list ? refuse : SCMP_ACT_ALLOW);
    for (const auto& name : policy.syscalls)
        if (policy.is_default && is_better_unimplemented(name))
            add_rule(context, SCMP_ACT_ERRNO(ENOSYS), name);
        else
            add_rule(context, allow_list ? SCMP_ACT_ALLOW : refuse, name);
    return exported(context);
}

// Layer 3: what RestrictAddressFamilies=, RestrictNamespaces= and LockPersonality= make of it.
BpfProgram argument_filter(bool restrict_namespaces)
{
    const auto context = new_context(SCMP_ACT_ALLOW);
    const auto add = [&](std::uint32_t action, int number, scmp_arg_cmp comparison) {
        check_call(seccomp_rule_add_array(context.get(), action, number, 1, &comparison), "adding an argument rule");
    };
    const auto last = std::max_element(std::begin(allowed_families), std::end(allowed_families),
                                       [](const Family& a, const Family& b) { return a.number < b.number; });
    for (unsigned family = 0; family < last->number; ++family)
        if (std::none_of(std::begin(allowed_families), std::end(allowed_families),
                         [&](const Family& allowed) { return allowed.number == family; }))
            add(SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_EQ, family));
    add(SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_GT, last->number));
    add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(personality), SCMP_A0_32(SCMP_CMP_NE, PER_LINUX));
    if (restrict_namespaces)
        for (const auto flag :
             {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET})
            add(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone),
                SCMP_A0(SCMP_CMP_MASKED_EQ, static_cast<unsigned>(flag), static_cast<unsigned>(flag)));
    return exported(context);
}

} // namespace

SeccompPolicy default_seccomp_policy(std::uint64_t bounding_set)
{
    const auto allowed = default_allowed_syscalls(bounding_set);
    SeccompPolicy policy{.mode = SeccompPolicy::Mode::deny, .syscalls = {}, .error = EPERM, .is_default = true};
    for (int number = 0; number <= last_nameable_call; ++number) {
        const std::unique_ptr<char, void (*)(void*)> name{seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number),
                                                          std::free};
        if (name && !std::binary_search(allowed.begin(), allowed.end(), std::string_view{name.get()}))
            policy.syscalls.emplace_back(name.get());
    }
    sort_unique(policy.syscalls);
    return policy;
}

SeccompPolicy seccomp_policy(const model::SeccompSet& isolator, std::uint64_t bounding_set,
                             std::vector<std::string>& reports)
{
    const bool retain = isolator.mode == model::SeccompSet::Mode::retain;
    const bool all = contains(isolator.calls, "@appc.io/all");
    const bool empty = contains(isolator.calls, "@appc.io/empty");
    if (retain ? empty : all)
        throw Error{Error::Kind::usage,
                    fmt::format("a seccomp {} set cannot have {}", retain ? "retain" : "remove",
                                retain ? "\"@appc.io/empty\"" : "\"@appc.io/all\""),
                    "name the system calls to allow in a retain set"};
    if (all)
        return {};
    if (empty)
        return default_seccomp_policy(bounding_set);

    SeccompPolicy policy{.mode = retain ? SeccompPolicy::Mode::allow : SeccompPolicy::Mode::deny,
                         .syscalls = expand(isolator.calls, reports)};
    if (retain) {
        policy.syscalls.insert(policy.syscalls.end(), life_cycle_calls.begin(), life_cycle_calls.end());
        sort_unique(policy.syscalls);
    }
    if (!isolator.errno_name.empty()) {
        policy.error = error_by_name(isolator.errno_name);
        if (!policy.error)
            reports.push_back(fmt::format("seccomp: errno {} is not known here, refused calls kill the app instead",
                                          text::quoted(isolator.errno_name)));
    }
    return policy;
}

bool is_known_syscall(const std::string& name)
{
    return seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR;
}

bool is_better_unimplemented(const std::string& syscall)
{
    constexpr std::array names = {"clone3", "io_uring_enter", "io_uring_register", "io_uring_setup"};
    return std::find(names.begin(), names.end(), syscall) != names.end();
}

bool allows(const SeccompPolicy& policy, const std::string& syscall)
{
    const bool listed = std::binary_search(policy.syscalls.begin(), policy.syscalls.end(), syscall);
    return policy.mode == SeccompPolicy::Mode::off || listed == (policy.mode == SeccompPolicy::Mode::allow);
}

const std::vector<std::string>& default_address_families()
{
    static const auto names = [] {
        std::vector<std::string> all;
        for (const auto& family : allowed_families)
            all.emplace_back(family.name);
        return all;
    }();
    return names;
}

bool restricts_namespaces(const SeccompPolicy& policy, std::uint64_t bounding_set)
{
    return policy.is_default && !has(bounding_set, CAP_SYS_ADMIN);
}

BpfProgram pod_filter()
{
    const auto statement = [](unsigned code, std::uint32_t k) {
        return sock_filter{static_cast<std::uint16_t>(code), 0, 0, k};
    };
    const auto jump = [](unsigned code, std::uint32_t k, std::size_t if_true, std::size_t if_false) {
        return sock_filter{static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
                           static_cast<std::uint8_t>(if_false), k};
    };
    constexpr auto exceptions = std::size(young_calls);
    BpfProgram program = {
        statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        jump(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, exceptions + 3), // others: the units' business
        statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        jump(BPF_JMP | BPF_JGT | BPF_K, last_nameable_call, 0, exceptions + 1),
    };
    for (std::size_t i = 0; i < exceptions; ++i)
        program.push_back(
            jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(young_calls[i].number), exceptions - i, 0));
    program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
    program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return program;
}

bool needs_pod_filter(const std::vector<AppSpec>& apps)
{
    return std::any_of(apps.begin(), apps.end(), [](const AppSpec& app) { return app.seccomp.is_default; });
}

std::vector<BpfProgram> enter_filters(const SeccompPolicy& policy, std::uint64_t bounding_set)
{
    if (policy.mode == SeccompPolicy::Mode::off)
        return {};
    if (!policy.is_default)
        return {call_filter(policy)};
    // The one that could refuse seccomp(2) itself comes last.
    return {pod_filter(), argument_filter(restricts_namespaces(policy, bounding_set)), call_filter(policy)};
}

void install_filter(const BpfProgram& program)
{
    const sock_fprog fprog{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
    sys::check([&] { return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog); },
               "installing a seccomp filter");
}

} // namespace rocket::stage1
