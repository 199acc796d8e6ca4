// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/system_calls.hh"

#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

#include "common/sys/error.hh"

namespace rocket::fetch
{

namespace
{

constexpr std::array allowed{
    // descriptors
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    // files: configuration, certificates, libraries of resolvers
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
    SCMP_SYS(fstatfs),
    SCMP_SYS(statfs),
    // network
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(socketpair),
    // memory, threads, time, ending
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(membarrier),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrlimit),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

class Filter
{
public:
    void rule(std::uint32_t action, int call)
    {
        if (result_ == 0)
            result_ = filter_ ? ::seccomp_rule_add(filter_.get(), action, call, 0) : -ENOMEM;
    }
    void rule(int call, std::initializer_list<scmp_arg_cmp> conditions)
    {
        if (result_ == 0)
            result_ = filter_ ? ::seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, call,
                                                         static_cast<unsigned>(conditions.size()), conditions.begin())
                              : -ENOMEM;
    }
    void load()
    {
        if (result_ == 0)
            result_ = ::seccomp_load(filter_.get());
        if (result_ != 0)
            throw system_error(-result_, "installing the system call filter");
    }

private:
    std::unique_ptr<void, void (*)(void*)> filter_{::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release};
    int result_ = 0;
};

constexpr scmp_arg_cmp is(unsigned argument, std::uint64_t value)
{
    return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = value}; // 32 bits count
}

} // namespace

void allow_client_calls()
{
    Filter filter;
    for (const int call : allowed)
        filter.rule(SCMP_ACT_ALLOW, call);
    for (const auto family : {AF_INET, AF_INET6, AF_UNIX})
        filter.rule(SCMP_SYS(socket), {is(0, static_cast<std::uint64_t>(family))});
    filter.rule(SCMP_SYS(socket), {is(0, AF_NETLINK), is(2, NETLINK_ROUTE)}); // which addresses the host has
    for (const auto request : {FIONREAD, FIONBIO})
        filter.rule(SCMP_SYS(ioctl), {is(1, static_cast<std::uint64_t>(request))});
    filter.rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3)); // its flags cannot be looked at; libc takes the other
    filter.rule(SCMP_SYS(clone),
                {{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = CLONE_THREAD}});
    filter.load();
}

} // namespace rocket::fetch
