// SPDX-License-Identifier: Apache-2.0
#include "stage1/process_state.hh"

#include <csignal>
#include <cstdint>
#include <cstdlib>

#include "common/sys/sys.hh"

namespace rocket::stage1
{

void block_signals(std::initializer_list<int> signals)
{
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : signals)
        ::sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

void keep_lock_to_ourselves()
{
    const char* number = std::getenv("RKT_LOCK_FD");
    const auto fd = text::parse_decimal(number != nullptr ? number : "", INT32_MAX);
    if (!fd)
        throw Error{Error::Kind::usage, "no pod lock in RKT_LOCK_FD", "this program is started by `rocket run`"};
    sys::set_cloexec(static_cast<int>(*fd), true);
    ::unsetenv("RKT_LOCK_FD");
}

} // namespace rocket::stage1
