// SPDX-License-Identifier: Apache-2.0
// A service of the host's systemd, over the system bus (org.freedesktop.systemd1(5)). Errors: Kind::not_found for a
// unit that there is none of, Kind::system for a host that systemd does not run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/bus/bus.hh"

namespace rocket::update
{

class HostUnit
{
public:
    explicit HostUnit(std::string name);

    const std::string& name() const noexcept { return name_; }
    std::vector<std::string> command() const; // argv of ExecStart=, specifiers resolved
    pid_t main_pid() const;                   // 0: it does not run
    std::string source_path() const;          // the file that a generator made it from; may be empty
    bool is_active() const;                   // or reloading

    // Restarts it and waits until it is up, as its Type= says, then watches for as long as `settle` whether it stays
    // up. Why it is not up, as in "exit-code"; nullopt: it is.
    std::optional<std::string> restart(std::chrono::nanoseconds settle);

private:
    std::string property(const char* interface, const char* member) const;
    std::string why_down() const;
    std::string run_job(const char* member);
    bool stays_active(std::chrono::nanoseconds settle);

    std::string name_;
    bus::Bus bus_;
    std::string path_;
};

} // namespace rocket::update
