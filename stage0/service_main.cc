// SPDX-License-Identifier: Apache-2.0
#include "stage0/service_main.hh"

#include <signal.h>
#include <sys/signalfd.h>

#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/sys.hh"

namespace rocket
{

Fd end_signals()
{
    sigset_t ends{};
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return Fd{sys::check([&] { return ::signalfd(-1, &ends, SFD_CLOEXEC); }, "waiting for signals")};
}

int service_main(const char* name, int (*serve)(int argc, char** argv), int argc, char** argv)
{
    ensure_standard_fds();
    log::set_prefix(name);
    try {
        return serve(argc, argv);
    } catch (const Error& error) {
        log::error(error);
    } catch (const std::exception& error) {
        log::print("{}", error.what());
    }
    return 254;
}

} // namespace rocket
