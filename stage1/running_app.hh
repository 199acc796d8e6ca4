// SPDX-License-Identifier: Apache-2.0
// One app of a running pod: its unit, how it is getting on, and its streams.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/model/app_policy.hh"
#include "common/model/streams.hh"
#include "stage1/app_notify.hh"
#include "stage1/app_progress.hh"
#include "stage1/app_spec.hh"
#include "stage1/attach/server.hh"
#include "stage1/journal.hh"
#include "stage1/manager.hh"
#include "stage1/output.hh"
#include "stage1/plan.hh"
#include "stage1/relay.hh"

namespace rocket::stage1
{

// What the streams of all apps of a pod lead to.
struct PodStreams {
    Output& output; // of the caller
    Output& error;
    Journal& journal;
    attach::Server& attached;
    int run; // the pod's /run
};

class RunningApp
{
public:
    // `terminal`: master of the app's own terminal, if it has one that is not the caller's.
    RunningApp(AppSpec spec, const AppPlan& plan, Fd terminal, PodStreams pod);

    const AppSpec& spec() const noexcept { return spec_; }
    void add_variable(EnvVar variable) { spec_.environment.push_back(std::move(variable)); } // before it starts
    const std::string& unit() const noexcept { return unit_; }
    const model::Streams& streams() const noexcept { return streams_; }
    const model::AppPolicy& policy() const noexcept { return policy_; }
    AppProgress& progress() noexcept { return progress_; }
    const AppProgress& progress() const noexcept { return progress_; }
    void found_healthy() { was_healthy_ = true; }
    // Started, and ready if it says so itself, or healthy if that is waited for; stays true.
    bool is_up() const noexcept;
    // Of an app that notifies: what it says.
    void when_told(std::function<void(const AppNews& news)> told) { told_ = std::move(told); }
    bool was_started() const noexcept { return started_; }
    void reopen_log();
    void remove_fifos() const; // when the app is not to be started any more
    bool is_running() const noexcept { return started_ && !progress_.has_ended(); }
    // What it wrote when it ran last is still being handed on.
    bool is_draining() const noexcept { return unfinished_ > 0; }

    // It can be started again: the unit of the last run has to vanish by itself.
    void make_restartable() noexcept { restartable_ = true; }

    // Sends the call; `refused` if PID 1 does not take it. `caller_has_terminal`: what "interactive" means.
    // One that has ended begins anew.
    void start(EventLoop& loop, Manager& manager, bool caller_has_terminal,
               std::function<void(const std::string& why)> refused);
    void apply(const UnitChange& change);
    // The app has ended: `done` when all it wrote has been handed on.
    void finish_output(const std::function<void()>& done);

private:
    struct Start; // what is put together for the call

    void begin_anew();
    void listen(EventLoop& loop);
    void connect_input(EventLoop& loop, Start& start);
    void connect_output(EventLoop& loop, Start& start, bool is_error);
    void connect_terminal(EventLoop& loop, Start& start);
    void use_callers(Start& start, bool has_terminal) const;
    Fd new_pipe_for_app(Start& start, bool app_writes) const;
    std::string fifo_name(bool is_error) const;
    Fd new_fifo_for_app(Start& start, bool is_error) const;
    Relay::Sinks::Tap tap_for(attach::Endpoint endpoint);
    void add_log_tap(Relay::Sinks& sinks, const char* stream);

    AppSpec spec_;
    std::string unit_;
    model::Streams streams_;
    model::AppPolicy policy_;
    Fd terminal_;      // master
    Fd terminal_open_; // a slave: without one, a master reports "hung up" until the app has opened its own
    PodStreams pod_;
    AppProgress progress_;
    std::function<void(const AppNews& news)> told_;
    std::optional<AppNotify> notify_;
    bool said_ready_ = false;
    bool was_healthy_ = false;
    bool started_ = false;
    bool restartable_ = false;
    bool expected_ = true; // what is said about the unit is about this run
    std::unique_ptr<JournalStream> journaled_output_, journaled_error_;
    std::optional<CriLog> log_file_;
    std::vector<std::unique_ptr<Relay>> relays_;
    std::size_t unfinished_ = 0;
};

} // namespace rocket::stage1
