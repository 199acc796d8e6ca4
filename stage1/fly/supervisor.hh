// SPDX-License-Identifier: Apache-2.0
// The life of a fly pod from the launch of its app to its end. The app has the caller's standard descriptors, or with
// --interactive a terminal of its own that is connected to the caller's; signals are passed on as they come, SIGTERM
// with a time limit; how it ended is recorded. run() returns when nothing of the pod is left but its cgroup, empty.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/sys/process.hh"
#include "stage1/app_progress.hh"
#include "stage1/caller_terminal.hh"
#include "stage1/event_loop.hh"
#include "stage1/fly/launch.hh"
#include "stage1/host_notify.hh"

namespace rocket::stage1::fly
{

class Supervisor
{
public:
    // `group`: the pod's cgroup.
    Supervisor(EventLoop& loop, HostNotify& notify, const Pod& pod, Launched launched, std::string group);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    ExitStatus run(); // the app's own (cli 9.5)

private:
    void on_channel();
    void on_signal(int signal);
    void on_ended();
    void kill_all();
    void run_post_stop();
    void record(const ExitStatus& status);

    EventLoop& loop_;
    HostNotify& notify_;
    const Pod& pod_;
    Launched launched_;
    std::string group_;
    std::optional<CallerTerminal> terminal_;
    AppResult result_;
    ExitStatus status_;
    bool stopping_ = false;
    std::string reason_;
    Source said_, ended_, deadline_;
    std::vector<Source> signals_;
};

} // namespace rocket::stage1::fly
