// SPDX-License-Identifier: Apache-2.0
#include "stage1/pod_facts.hh"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

std::string first_line_of(const char* path)
{
    return std::string{text::trim(file::read_if_exists(AT_FDCWD, path, 4096).value_or(""))};
}

// A kernel with SELinux that has got no policy yet calls everything "kernel", and takes any context.
bool has_selinux_policy()
{
    return !first_line_of("/sys/fs/selinux/enforce").empty() &&
           !first_line_of("/proc/thread-self/attr/current").starts_with("kernel");
}

} // namespace

OpenFiles own_open_files()
{
    rlimit limit{};
    sys::check([&] { return ::getrlimit(RLIMIT_NOFILE, &limit); }, "reading the limit of open files");
    return {.soft = limit.rlim_cur, .hard = limit.rlim_max};
}

int own_oom_score()
{
    const auto own = text::parse_signed(first_line_of("/proc/self/oom_score_adj"), -1000, 1000);
    return static_cast<int>(own.value_or(0));
}

PodFacts host_facts()
{
    PodFacts facts;
    if (const auto last = text::parse_decimal(first_line_of("/proc/sys/kernel/cap_last_cap"), 63))
        facts.last_capability = static_cast<unsigned>(*last);
    // Whoever lacks CAP_SYS_RESOURCE can raise its score, and lower it again, but not below what it was given.
    if (::prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) != 1)
        facts.lowest_oom_score = own_oom_score();
    facts.has_apparmor = first_line_of("/sys/module/apparmor/parameters/enabled") == "Y";
    facts.has_selinux = has_selinux_policy();
    return facts;
}

} // namespace rocket::stage1
