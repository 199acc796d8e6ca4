// SPDX-License-Identifier: Apache-2.0
#include "stage0/unpack/system_calls.hh"

#include <seccomp.h>

#include <array>
#include <memory>

#include "common/sys/error.hh"

namespace rocket::unpack
{

namespace
{

// Behind read, write and close: what malloc, exceptions, libc's locks and the end of a process need.
constexpr std::array stream_table{
    SCMP_SYS(read),       SCMP_SYS(readv),        SCMP_SYS(write),           SCMP_SYS(writev),
    SCMP_SYS(close),      SCMP_SYS(lseek),        SCMP_SYS(fstat),           SCMP_SYS(newfstatat),
    SCMP_SYS(mmap),       SCMP_SYS(munmap),       SCMP_SYS(mremap),          SCMP_SYS(madvise),
    SCMP_SYS(brk),        SCMP_SYS(futex),        SCMP_SYS(getrandom),       SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
};

constexpr std::array tree_table{
    SCMP_SYS(openat),  SCMP_SYS(openat2),    SCMP_SYS(mkdirat),   SCMP_SYS(symlinkat), SCMP_SYS(linkat),
    SCMP_SYS(mknodat), SCMP_SYS(pwrite64),   SCMP_SYS(ftruncate), SCMP_SYS(fchown),    SCMP_SYS(fchownat),
    SCMP_SYS(fchmod),  SCMP_SYS(fchmodat),   SCMP_SYS(fsetxattr), SCMP_SYS(utimensat), SCMP_SYS(statx),
    SCMP_SYS(fstatfs), SCMP_SYS(readlinkat), // in place of openat2: common/sys/resolve.hh
};

constexpr std::array reading_table{
    SCMP_SYS(openat), SCMP_SYS(getdents64), SCMP_SYS(readlinkat), SCMP_SYS(flistxattr), SCMP_SYS(fgetxattr),
    SCMP_SYS(fcntl), // fdopendir(3)
};
constexpr std::array replacing_table{SCMP_SYS(unlinkat)};

} // namespace

const std::span<const int> stream_calls{stream_table};
const std::span<const int> tree_calls{tree_table};
const std::span<const int> reading_calls{reading_table};
const std::span<const int> replacing_calls{replacing_table};

void allow_only(std::initializer_list<std::span<const int>> lists)
{
    const std::unique_ptr<void, void (*)(void*)> filter{::seccomp_init(SCMP_ACT_KILL_PROCESS), ::seccomp_release};
    int result = filter ? 0 : -1;
    for (const auto& list : lists)
        for (const int call : list)
            if (result == 0)
                result = ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
    if (result == 0)
        result = ::seccomp_load(filter.get());
    if (result != 0)
        fail(Error::Kind::system, "cannot install the system call filter");
}

} // namespace rocket::unpack
