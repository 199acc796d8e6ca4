// SPDX-License-Identifier: Apache-2.0
// rocket-generator NORMAL-DIR [EARLY-DIR LATE-DIR]: started by systemd when it boots and at daemon-reload, before any
// service (systemd.generator(7)). What is wrong with a file goes to the kernel's log, and with it to the journal.
#include <fcntl.h>
#include <unistd.h>

#include "common/sys/error.hh"
#include "common/sys/fd.hh"
#include "common/sys/log.hh"
#include "common/sys/process.hh"
#include "common/sys/text.hh"
#include "stage0/quadlet/load.hh"

namespace
{

using namespace rocket;

void complain(const std::string& problem)
{
    const auto line = text::printable(problem);
    log::print("{}", line);
    const Fd kernel_log{::open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY)};
    const auto record = fmt::format("<3>rocket-generator[{}]: {}\n", ::getpid(), line);
    if (kernel_log && ::write(kernel_log.get(), record.data(), record.size()) < 0)
        return; // a container has no kernel log of its own; stderr has it
}

} // namespace

int main(int argc, char** argv)
{
    ensure_standard_fds();
    log::set_prefix("rocket-generator");
    if (argc != 2 && argc != 4) {
        log::print("usage: rocket-generator NORMAL-DIR [EARLY-DIR LATE-DIR]");
        return 1;
    }
    try {
        const auto translation = quadlet::translate(quadlet::load(quadlet::standard_directories()), ROCKET_PROGRAM);
        for (const auto& problem : translation.problems)
            complain(problem.text);
        quadlet::write_units(translation.units, argv[1]);
        return 0;
    } catch (const std::exception& error) {
        complain(error.what());
        return 1;
    }
}
