// SPDX-License-Identifier: Apache-2.0
// One app of a running pod: its unit, how it is getting on, and its output on the way out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage1/app_progress.hh"
#include "stage1/app_spec.hh"
#include "stage1/journal.hh"
#include "stage1/manager.hh"
#include "stage1/output.hh"
#include "stage1/relay.hh"

namespace rocket::stage1
{

// Where an app's stdio goes.
struct Stdio {
    enum class Kind {
        relayed,  // two pipes, through us to the caller and the journal
        terminal, // the pod's terminal
        passed,   // the caller's own descriptors (--interactive without a terminal)
    };
    Kind kind = Kind::relayed;
    Output* output = nullptr; // relayed
    Output* error = nullptr;
    Journal* journal = nullptr;
};

class RunningApp
{
public:
    RunningApp(AppSpec spec, Stdio stdio) : spec_{std::move(spec)}, unit_{unit_name(spec_.name)}, stdio_{stdio} {}

    const AppSpec& spec() const noexcept { return spec_; }
    const std::string& unit() const noexcept { return unit_; }
    AppProgress& progress() noexcept { return progress_; }
    const AppProgress& progress() const noexcept { return progress_; }
    bool was_started() const noexcept { return started_; }

    // Sends the call; `refused` if PID 1 does not take it.
    void start(EventLoop& loop, Manager& manager, std::function<void(const std::string& why)> refused);
    void apply(const UnitChange& change);
    // The app has ended: `done` when all it wrote has been handed on.
    void finish_output(const std::function<void()>& done);

private:
    int add_relay(EventLoop& loop, Output& to, int priority);

    AppSpec spec_;
    std::string unit_;
    Stdio stdio_;
    AppProgress progress_;
    bool started_ = false;
    std::vector<std::unique_ptr<Relay>> relays_;
    std::vector<Fd> write_ends_; // until the call is sent
    std::size_t unfinished_ = 0;
};

} // namespace rocket::stage1
