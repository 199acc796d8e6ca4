// SPDX-License-Identifier: Apache-2.0
// The end of a pod, as its supervisor sees it: apps are stopped or killed, what they wrote is handed on, and all is
// over.
#include <algorithm>
#include <csignal>
#include <utility>

#include "common/sys/cgroup.hh"
#include "common/sys/sys.hh"
#include "common/sys/trace.hh"
#include "stage1/supervisor.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::uint64_t stop_slack_usec = 5'000'000; // for PID 1, after an app's own time-out

} // namespace

void Supervisor::on_signal(int signal)
{
    if (phase_ == Phase::stopping || phase_ == Phase::draining || signal == SIGQUIT)
        kill_all("killed");
    else
        stop_all("stopped");
}

void Supervisor::stop_all(const std::string& reason)
{
    if (phase_ == Phase::booting) // nothing runs yet
        return finish(reason);
    if (phase_ != Phase::running)
        return;
    phase_ = Phase::stopping;
    reason_ = reason;
    notify_.stopping(reason);
    dismiss_requests();
    std::uint64_t stop_timeout = 0;
    for (auto& app : apps_) {
        if (is_over(*app))
            continue;
        app->progress().stop_requested();
        if (app->was_started()) {
            stop_app(*app);
        } else { // its turn never came
            app->progress().end_with({.code = 0});
            record(*app);
        }
        stop_timeout = std::max(stop_timeout, stop_limit(*app));
    }
    if (plan_.is_mutable) // there may be none that runs
        end_if_all_ended();
    if (phase_ == Phase::stopping)
        deadline_ = loop_.after(stop_timeout, [this](std::uint32_t) { kill_all("killed: did not stop in time"); });
}

// The apps of a mutable pod that were never started do not have to end.
bool Supervisor::is_over(const RunningApp& app) const
{
    return plan_.is_mutable ? !app.is_running() : app.progress().has_ended();
}

std::uint64_t Supervisor::stop_limit(const RunningApp& app)
{
    return app.policy().stop_timeout_usec + stop_slack_usec;
}

void Supervisor::stop_app(RunningApp& app)
{
    if (manager_) // else: once it is back
        manager_->stop(app.unit(), nullptr);
}

// What happens next comes through on_init_gone().
void Supervisor::kill_all(const std::string& reason)
{
    if (first_failure_ == nullptr)
        reason_ = reason;
    cgroup::kill(group_.name);
    launched_.init.kill(SIGKILL);
}

void Supervisor::on_init_gone()
{
    init_gone_.reset();
    trace::mark("init gone");
    if (phase_ == Phase::booting && reason_.empty())
        throw Error{
            Error::Kind::system, "the pod's systemd ended before it was ready",
            "with many pods on this host: sysctl fs.inotify.max_user_instances=8192; --debug shows what it says"};
    if (reason_.empty())
        reason_ = "the pod's systemd ended";
    socket_comes_.reset();
    journal_.abandon();
    for (auto& app : apps_) {
        if (is_over(*app))
            continue;
        app->progress().end_with({.signal = SIGKILL, .finished_ns = static_cast<std::uint64_t>(sys::realtime_nsec())});
        record(*app);
        if (first_failure_ == nullptr && !plan_.is_mutable)
            first_failure_ = app.get();
    }
    if (phase_ == Phase::booting || phase_ == Phase::running)
        phase_ = Phase::stopping;
    end_if_all_ended();
}

void Supervisor::end_if_all_ended()
{
    const bool all_over = std::all_of(apps_.begin(), apps_.end(), [this](auto& app) { return is_over(*app); });
    if (all_over && (phase_ == Phase::stopping || (phase_ == Phase::running && !plan_.is_mutable)))
        drain();
}

// Everything the apps wrote, to the caller; then to the journal; then the end.
void Supervisor::drain()
{
    phase_ = Phase::draining;
    deadline_.reset();
    if (terminal_)
        terminal_->finish();
    undrained_ = apps_.size();
    const auto end = [this] {
        trace::mark("output drained");
        journal_.finish([this] {
            trace::mark("journal written");
            attached_.finish([this] { finish("all apps ended"); });
        });
    };
    if (apps_.empty())
        return end();
    for (auto& app : apps_)
        app->finish_output([this, end] {
            if (--undrained_ == 0)
                end();
        });
}

void Supervisor::finish(const std::string& reason)
{
    phase_ = Phase::over;
    if (reason_.empty())
        reason_ = reason;
    init_gone_.reset();
    loop_.stop();
}

int Supervisor::exit_status() const
{
    constexpr int failed_in_set_up = 254;
    if (set_up_failed_)
        return failed_in_set_up;
    return first_failure_ != nullptr ? first_failure_->progress().result().status() : 0;
}

} // namespace rocket::stage1
