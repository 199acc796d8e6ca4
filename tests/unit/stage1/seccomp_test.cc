// SPDX-License-Identifier: Apache-2.0
// The filters are tried on a child of ours: no_new_privs makes that possible without root.
#include "stage1/seccomp.hh"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "stage1/capabilities.hh"
#include "stage1/seccomp_sets.hh"

using namespace rocket;
using namespace rocket::stage1;
using Mode = model::SeccompSet::Mode;

namespace
{

constexpr int no_error = 0;
constexpr int killed = -1;

// errno of the call under the filters, 0 if it went through, -1 if it was killed by SIGSYS.
int outcome(const std::vector<BpfProgram>& filters, long number, long a = 0, long b = 0, long c = 0)
{
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        for (const auto& filter : filters)
            install_filter(filter);
        const long result = ::syscall(number, a, b, c);
        if (result == 0 && (number == SYS_clone || number == SYS_clone3))
            ::_exit(0); // the child's child
        ::syscall(SYS_exit_group, result == -1 ? errno : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? killed : -WTERMSIG(status);
    return WEXITSTATUS(status);
}

SeccompPolicy policy(Mode mode, std::vector<std::string> calls, std::string errno_name = {})
{
    std::vector<std::string> reports;
    return seccomp_policy({mode, std::move(calls), std::move(errno_name)}, default_capabilities(), reports);
}

bool has(const std::vector<std::string>& names, const char* name)
{
    return std::binary_search(names.begin(), names.end(), name);
}

} // namespace

TEST_CASE("seccomp: the default policy, call by call")
{
    const auto filters = enter_filters(default_seccomp_policy(default_capabilities()), default_capabilities());
    REQUIRE(filters.size() == 3);
    struct {
        const char* what;
        long number, a, b, c;
        int expected;
    } const rows[] = {
        {"an ordinary call", SYS_getppid, 0, 0, 0, no_error},
        {"a young one that is allowed: cachestat", 451, -1, 0, 0, EBADF},
        {"mount", SYS_mount, 0, 0, 0, EPERM},
        {"unshare", SYS_unshare, CLONE_NEWUSER, 0, 0, EPERM},
        {"setns", SYS_setns, -1, 0, 0, EPERM},
        {"bpf", SYS_bpf, 0, 0, 0, EPERM},
        {"keyctl", SYS_keyctl, 0, 0, 0, EPERM},
        {"open_tree", SYS_open_tree, 0, 0, 0, EPERM},
        {"a namespace by clone", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, EPERM},
        {"clone3 does not exist", SYS_clone3, 0, 0, 0, ENOSYS},
        {"io_uring does not exist", SYS_io_uring_setup, 0, 0, 0, ENOSYS},
        {"a call of the future", 500, 0, 0, 0, ENOSYS},
        {"lsm_set_self_attr", 460, 0, 0, 0, ENOSYS},
        {"x32", 0x40000000 + 39, 0, 0, 0, killed},
        {"AF_UNIX", SYS_socket, AF_UNIX, SOCK_STREAM, 0, no_error},
        {"AF_ALG", SYS_socket, AF_ALG, SOCK_SEQPACKET, 0, EAFNOSUPPORT},
        {"AF_VSOCK", SYS_socket, AF_VSOCK, SOCK_STREAM, 0, EAFNOSUPPORT},
        {"AF_APPLETALK, between allowed ones", SYS_socket, AF_APPLETALK, SOCK_DGRAM, 0, EAFNOSUPPORT},
        {"high bits of an int argument", SYS_socket, (1L << 32) + AF_ALG, SOCK_SEQPACKET, 0, EAFNOSUPPORT},
        {"another personality", SYS_personality, ADDR_NO_RANDOMIZE, 0, 0, EPERM},
        {"the usual personality", SYS_personality, PER_LINUX, 0, 0, no_error},
    };
    for (const auto& row : rows) {
        CAPTURE(std::string{row.what});
#ifndef __x86_64__
        if (row.expected == killed)
            continue; // x32 is an x86 thing
#endif
        CHECK(outcome(filters, row.number, row.a, row.b, row.c) == row.expected);
    }
}

TEST_CASE("seccomp: capabilities bring the calls they are for")
{
    const auto with_admin = default_capabilities() | (1ULL << CAP_SYS_ADMIN);
    const auto refused = default_seccomp_policy(default_capabilities()).syscalls;
    const auto admin_refused = default_seccomp_policy(with_admin).syscalls;
    CHECK(has(refused, "mount"));
    CHECK_FALSE(has(admin_refused, "mount"));
    CHECK_FALSE(has(admin_refused, "clone3"));
    CHECK(has(admin_refused, "kexec_load"));
    CHECK(has(admin_refused, "io_uring_setup"));
    CHECK(restricts_namespaces(default_seccomp_policy(default_capabilities()), default_capabilities()));
    CHECK_FALSE(restricts_namespaces(default_seccomp_policy(with_admin), with_admin));
}

TEST_CASE("seccomp: remove sets block what they name and nothing else (SEC-4, SEC-6)")
{
    const auto by_errno = enter_filters(policy(Mode::remove, {"getppid"}, "ENOENT"), 0);
    CHECK(outcome(by_errno, SYS_getppid) == ENOENT);
    CHECK(outcome(by_errno, SYS_unshare) == no_error);
    CHECK(outcome(enter_filters(policy(Mode::remove, {"getppid"}), 0), SYS_getppid) == killed);
    const auto set = policy(Mode::remove, {"@rkt/default-blacklist", "@docker/default-blacklist"}, "EPERM");
    CHECK(has(set.syscalls, "kexec_load"));
    CHECK_FALSE(set.is_default);
}

TEST_CASE("seccomp: retain sets allow what they name and the life cycle (SEC-5)")
{
    const auto filters = enter_filters(policy(Mode::retain, {"getuid"}, "EACCES"), 0);
    CHECK(outcome(filters, SYS_getuid) == no_error);
    CHECK(outcome(filters, SYS_getppid) == EACCES);
    CHECK(outcome(filters, 500) == EACCES);
    const auto whitelist = policy(Mode::retain, {"@rkt/default-whitelist"});
    CHECK(has(whitelist.syscalls, "personality"));
    CHECK_FALSE(has(whitelist.syscalls, "mount"));
}

TEST_CASE("seccomp: nothing fails open (SEC-9, SEC-10, SEC-12)")
{
    CHECK(policy(Mode::retain, {"read", "@appc.io/all"}).mode == SeccompPolicy::Mode::off);
    CHECK(policy(Mode::remove, {"read", "@appc.io/empty"}).is_default);
    for (const auto& row : {std::pair{Mode::remove, "@appc.io/all"},
                            {Mode::retain, "@appc.io/empty"},
                            {Mode::retain, "@appc.io/none"},
                            {Mode::remove, "@systemd/nothing"},
                            {Mode::retain, "@"},
                            {Mode::retain, "@mount"}}) {
        CAPTURE(std::string{row.second});
        CHECK_THROWS_AS(policy(row.first, {"read", row.second}), Error);
    }
    std::vector<std::string> reports;
    const auto unknown = seccomp_policy({Mode::retain, {"make_coffee"}, "EPERM"}, 0, reports);
    CHECK(unknown.mode == SeccompPolicy::Mode::allow);
    CHECK(unknown.syscalls == std::vector<std::string>{"execve", "exit", "exit_group", "rt_sigreturn", "sigreturn"});
    CHECK(reports.size() == 1);
}

TEST_CASE("seccomp: error names (SEC-7, SEC-8)")
{
    struct {
        const char* name;
        std::optional<int> number;
    } const rows[] = {{"EPERM", EPERM},   {"EWOULDBLOCK", EAGAIN},   {"ENOTSUP", EOPNOTSUPP}, {"EMULTIHOP", EMULTIHOP},
                      {"E2BIG", E2BIG},   {"EDEADLK", EDEADLK},      {"ESTALE", ESTALE},      {"ENOTSOCK", ENOTSOCK},
                      {"", std::nullopt}, {"EACCESS", std::nullopt}, {"E", std::nullopt}};
    for (const auto& row : rows) {
        CAPTURE(std::string{row.name});
        CHECK(policy(Mode::remove, {"mount"}, row.name).error == row.number);
    }
}

TEST_CASE("seccomp: a pod gets its filter only for apps with the default policy")
{
    AppSpec with, without;
    with.seccomp.is_default = true;
    CHECK(needs_pod_filter({without, with}));
    CHECK_FALSE(needs_pod_filter({without}));
    CHECK(enter_filters({}, 0).empty());
}

TEST_CASE("seccomp sets: all that can be named")
{
    CHECK(named_seccomp_set("@docker/default-whitelist")->size() == 309);
    CHECK(named_seccomp_set("@rkt/default-whitelist")->size() == 315);
    CHECK(named_seccomp_set("@rkt/default-blacklist")->size() == 50);
    CHECK(has(*named_seccomp_set("@systemd/privileged"), "init_module")); // by way of @module
    CHECK_FALSE(named_seccomp_set("@rkt/default"));
    const auto allowed = default_allowed_syscalls(UINT64_MAX);
    for (const char* never : {"io_uring_setup", "kexec_load", "userfaultfd", "keyctl", "add_key", "request_key"}) {
        CAPTURE(std::string{never});
        CHECK_FALSE(has(allowed, never));
    }
}
