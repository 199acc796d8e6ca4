// SPDX-License-Identifier: Apache-2.0
// The named sets: rkt's (of 2016, kept as they were: users build on them), those of systemd it mapped, and what
// Rocket's own default filter adds to rkt's. One place to look at when a kernel or a libc brings a new call.
#include "stage1/seccomp_sets.hh"

#include <linux/capability.h>

#include <algorithm>

#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

// clang-format off
constexpr const char* rkt_whitelist =
    "_llseek _newselect accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown "
    "chown32 chroot clock_getres clock_gettime clock_nanosleep clone close connect copy_file_range creat dup "
    "dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_wait epoll_wait_old "
    "eventfd eventfd2 execve execveat exit exit_group faccessat fadvise64 fadvise64_64 fallocate "
    "fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr "
    "flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate "
    "ftruncate64 futex futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid "
    "getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp "
    "getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage "
    "getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr inotify_add_watch "
    "inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_setup io_submit ioctl "
    "ioprio_get ioprio_set ipc kill lchown lchown32 lgetxattr link linkat listen listxattr llistxattr "
    "lremovexattr lseek lsetxattr lstat lstat64 madvise memfd_create mincore mkdir mkdirat mknod mknodat "
    "mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive "
    "mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep "
    "newfstatat open openat pause personality pipe pipe2 poll ppoll prctl pread64 preadv prlimit64 pselect6 "
    "pwrite64 pwritev read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmsg "
    "remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rt_sigaction rt_sigpending "
    "rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
    "sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam "
    "sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop send sendfile sendfile64 "
    "sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid "
    "setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 "
    "setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid "
    "setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigreturn socket "
    "socketcall socketpair splice stat stat64 statfs statfs64 symlink symlinkat sync sync_file_range syncfs "
    "sysinfo syslog tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime "
    "timerfd_create timerfd_gettime timerfd_settime times tkill truncate truncate64 ugetrlimit umask uname "
    "unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid waitpid write writev";

constexpr const char* rkt_whitelist_arm =
    "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2";

constexpr const char* rkt_blacklist =
    "_sysctl acct add_key adjtimex bpf clock_adjtime clock_settime create_module delete_module finit_module "
    "get_kernel_syms get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl "
    "lookup_dcookie mbind mount move_pages name_to_handle_at nfsservctl open_by_handle_at perf_event_open "
    "pivot_root process_vm_readv process_vm_writev ptrace query_module quotactl reboot request_key "
    "set_mempolicy setns settimeofday stime swapoff swapon sysfs umount umount2 unshare uselib userfaultfd "
    "ustat vm86 vm86old";

// Calls younger than rkt's list, or given back since kernel 4.8 (ptrace no longer gets round a filter), as docker
// and podman allow them today. Not io_uring: it is a second way into the kernel that no filter sees.
constexpr const char* default_additions =
    "adjtimex cachestat clock_adjtime clock_adjtime64 clock_getres_time64 clock_gettime64 "
    "clock_nanosleep_time64 close_range epoll_pwait2 faccessat2 fchmodat2 futex_requeue futex_time64 "
    "futex_wait futex_waitv futex_wake getxattrat io_pgetevents io_pgetevents_time64 landlock_add_rule "
    "landlock_create_ruleset landlock_restrict_self listmount listxattrat lsm_get_self_attr lsm_list_modules "
    "map_shadow_stack membarrier memfd_secret mq_timedreceive_time64 mq_timedsend_time64 mseal "
    "name_to_handle_at openat2 pidfd_open pidfd_send_signal pkey_alloc pkey_free pkey_mprotect ppoll_time64 "
    "preadv2 process_mrelease process_vm_readv process_vm_writev pselect6_time64 ptrace pwritev2 readdir "
    "recvmmsg_time64 removexattrat rseq rt_sigtimedwait_time64 sched_rr_get_interval_time64 semtimedop_time64 "
    "setxattrat sigaction signal sigpending sigprocmask sigsuspend statmount statx timer_gettime64 "
    "timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64";

constexpr const char* systemd_clock =
    "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday";

constexpr const char* systemd_default =
    "arch_prctl brk cacheflush clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
    "clock_nanosleep_time64 execve exit exit_group futex futex_time64 futex_waitv get_robust_list "
    "get_thread_area getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getpgid "
    "getpgrp getpid getppid getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getsid gettid "
    "gettimeofday getuid getuid32 membarrier mmap mmap2 mprotect munmap nanosleep pause prlimit64 "
    "restart_syscall riscv_flush_icache riscv_hwprobe rseq rt_sigreturn sched_getaffinity sched_yield "
    "set_robust_list set_thread_area set_tid_address set_tls sigreturn time ugetrlimit uretprobe";

constexpr const char* systemd_io_event =
    "_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait "
    "epoll_wait_old eventfd eventfd2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select";

constexpr const char* systemd_mount =
    "chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount umount2";

constexpr const char* systemd_network_io =
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socket socketcall socketpair";

constexpr const char* systemd_obsolete =
    "_sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock mpx prof "
    "profil putpmsg query_module security sgetmask ssetmask stime stty sysfs tuxcall ulimit uselib ustat "
    "vserver";

constexpr const char* systemd_privileged =
    "_sysctl acct adjtimex bpf capset chown chown32 chroot clock_adjtime clock_adjtime64 clock_settime "
    "clock_settime64 delete_module fanotify_init fanotify_mark fchown fchown32 fchownat finit_module "
    "init_module ioperm iopl kexec_file_load kexec_load lchown lchown32 nfsservctl open_by_handle_at "
    "pciconfig_iobase pciconfig_read pciconfig_write pivot_root quotactl quotactl_fd reboot "
    "s390_pci_mmio_read s390_pci_mmio_write setdomainname setfsuid setfsuid32 setgroups setgroups32 "
    "sethostname setresuid setresuid32 setreuid setreuid32 settimeofday setuid setuid32 swapoff swapon "
    "vhangup";

constexpr const char* systemd_process =
    "capget clone clone3 execveat fork getrusage kill pidfd_open pidfd_send_signal prctl rt_sigqueueinfo "
    "rt_tgsigqueueinfo setns swapcontext tgkill times tkill unshare vfork wait4 waitid waitpid";

constexpr const char* systemd_raw_io =
    "ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write";

// clang-format on

struct NamedSet {
    const char* name;
    const char* names;
    const char* more = "";
};

constexpr NamedSet named_sets[] = {
    {"@rkt/default-whitelist", rkt_whitelist, rkt_whitelist_arm}, // names of another architecture are nothing here
    {"@docker/default-whitelist", rkt_whitelist},
    {"@rkt/default-blacklist", rkt_blacklist},
    {"@docker/default-blacklist", rkt_blacklist},
    {"@systemd/clock", systemd_clock},
    {"@systemd/default-whitelist", systemd_default},
    {"@systemd/io-event", systemd_io_event},
    {"@systemd/mount", systemd_mount},
    {"@systemd/network-io", systemd_network_io},
    {"@systemd/obsolete", systemd_obsolete},
    {"@systemd/privileged", systemd_privileged},
    {"@systemd/process", systemd_process},
    {"@systemd/raw-io", systemd_raw_io},
};

struct CapabilitySet {
    unsigned capability;
    const char* names;
};

// What a capability that the user asked for is useless without.
constexpr CapabilitySet capability_sets[] = {
    {CAP_BPF, "bpf"},
    {CAP_DAC_READ_SEARCH, "open_by_handle_at"},
    {CAP_PERFMON, "perf_event_open"},
    {CAP_SYSLOG, "syslog"},
    {CAP_SYS_ADMIN, "bpf clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
                    "move_mount open_tree perf_event_open pivot_root quotactl quotactl_fd setdomainname sethostname "
                    "setns syslog umount umount2 unshare"},
    {CAP_SYS_BOOT, "reboot"},
    {CAP_SYS_CHROOT, "chroot"},
    {CAP_SYS_MODULE, "delete_module finit_module init_module query_module"},
    {CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    {CAP_SYS_PACCT, "acct"},
    {CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise"},
    {CAP_SYS_RAWIO, "ioperm iopl"},
    {CAP_SYS_TIME, "clock_settime clock_settime64 settimeofday stime"},
    {CAP_SYS_TTY_CONFIG, "vhangup"},
};

void add_words(std::vector<std::string>& to, const char* words)
{
    for (auto& word : text::split(words, ' '))
        if (!word.empty())
            to.push_back(std::move(word));
}

void sort_unique(std::vector<std::string>& names)
{
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

} // namespace

std::optional<std::vector<std::string>> named_seccomp_set(std::string_view name)
{
    for (const auto& set : named_sets)
        if (name == set.name) {
            std::vector<std::string> names;
            add_words(names, set.names);
            add_words(names, set.more);
            sort_unique(names);
            return names;
        }
    return std::nullopt;
}

std::vector<std::string> default_allowed_syscalls(std::uint64_t bounding_set)
{
    std::vector<std::string> names;
    add_words(names, rkt_whitelist);
    add_words(names, rkt_whitelist_arm);
    add_words(names, default_additions);
    for (const auto& set : capability_sets)
        if (((bounding_set >> set.capability) & 1U) != 0)
            add_words(names, set.names);
    sort_unique(names);
    return names;
}

} // namespace rocket::stage1
