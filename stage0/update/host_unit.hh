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
    std::vector<std::string> command() const;           // argv of ExecStart=, specifiers resolved
    pid_t main_pid() const;                             // 0: it does not run
    std::string source_path() const;                    // the file that a generator made it from; may be empty
    std::string user() const;                           // User=, or the name of its dynamic user; may be empty: root
    std::vector<std::string> state_directories() const; // StateDirectory=, whole paths
    bool is_active() const;                             // or reloading
    bool is_stopped() const; // by somebody, or it ended well: neither failed nor being restarted
    // Until there is no job that somebody else has asked for.
    void wait_for_job(std::chrono::nanoseconds patience) const;

    // Restarts it, however often that was done lately, and waits until it is up, as its Type= says, for as long as
    // `patience`; then watches for as long as `settle` whether it stays up. Why it is not up, as in "exit-code";
    // nullopt: it is.
    std::optional<std::string> restart(std::chrono::nanoseconds patience, std::chrono::nanoseconds settle);

private:
    std::string property(const char* interface, const char* member) const;
    std::string why_down() const;
    bool has_job() const;
    void forget_failures() const;
    std::string run_job(const char* member, std::chrono::nanoseconds patience);
    bool stays_active(std::chrono::nanoseconds settle);

    std::string name_;
    bus::Bus bus_;
    std::string path_;
};

// Instances of "name@.service" that run.
std::vector<std::string> running_instances(const std::string& unit_template);

} // namespace rocket::update
