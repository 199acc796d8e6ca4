// SPDX-License-Identifier: Apache-2.0
// Child processes, held by pidfd: no pid is ever signalled that could have been reused.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/sys/fd.hh"

namespace rocket
{

struct ExitStatus {
    int code = 0;   // meaningful if signal is 0
    int signal = 0; // what killed it, or 0
    bool ok() const noexcept { return code == 0 && signal == 0; }
    // As a shell would say it: the code, or 128 + signal.
    int shell_status() const noexcept { return signal != 0 ? 128 + signal : code; }
};

// A child of ours: killed and reaped by the destructor unless waited for or released.
class Process
{
public:
    Process() = default;
    Process(pid_t pid, Fd pidfd) : pid_{pid}, pidfd_{std::move(pidfd)} {}
    Process(Process&& other) noexcept : pid_{std::exchange(other.pid_, 0)}, pidfd_{std::move(other.pidfd_)} {}
    Process& operator=(Process&& other) noexcept;
    ~Process();

    pid_t pid() const noexcept { return pid_; }
    int pidfd() const noexcept { return pidfd_.get(); } // readable when it has ended
    explicit operator bool() const noexcept { return pid_ > 0; }

    void kill(int signal) const; // one that has ended already is no error
    ExitStatus wait();           // reaps it
    std::optional<ExitStatus> wait_for(int milliseconds);
    void release() noexcept; // leaves it alone

private:
    pid_t pid_ = 0;
    Fd pidfd_;
};

// What a spawned program gets. Nothing else: no other descriptor, no other variable, default signal handling.
struct Spawn {
    std::string program;           // absolute path
    std::vector<std::string> argv; // argv[0] included
    std::vector<std::string> env;  // NAME=VALUE
    std::map<int, int> fds;        // number in the child -> descriptor here; 0-2 not named are /dev/null
    std::string working_directory; // empty: ours
    bool die_with_us = true;       // PR_SET_PDEATHSIG SIGKILL
    bool own_group = false;        // a process group of its own
};

// fork + exec; a failed exec is an Error here, not an exit code of the child.
Process spawn(const Spawn& what);

// A pidfd for any process; nullopt if it does not exist.
std::optional<Fd> open_pidfd(pid_t pid);
void send_signal(int pidfd, int signal); // one that has ended already is no error
// Field 22 of /proc/PID/stat: with the pid it names a process for good. nullopt if there is no such process.
std::optional<unsigned long long> start_time(pid_t pid);

// Whether root here is somebody else on the host: no device can be made, and the host's services do not know us as
// root.
bool in_user_namespace();

// After fork in a child about to exec: default dispositions, nothing blocked.
void reset_signals() noexcept;
// Dies of `signal`, so that our caller sees what a child of ours died of; without a core of our own.
[[noreturn]] void die_of(int signal);
// Descriptors 0-2 are open from here on (on /dev/null if they were not), so that no other file can land there (R7).
void ensure_standard_fds();

} // namespace rocket
