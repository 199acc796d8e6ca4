// SPDX-License-Identifier: Apache-2.0
// What apps say about themselves, as their pod's supervisor hears it: when all are up the pod is ready, and one of them
// may speak for it.
#include <algorithm>
#include <utility>

#include "common/sys/log.hh"
#include "common/sys/trace.hh"
#include "stage1/records.hh"
#include "stage1/supervisor.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* services_unit = "pod.target"; // journal and bus sockets

} // namespace

void Supervisor::listen_to(RunningApp& app)
{
    app.when_told([this, &app](const AppNews& news) { on_told(app, news); });
}

// The pod's READY is not the app's: it comes when all apps are up, from check_ready().
void Supervisor::on_told(RunningApp& app, const AppNews& news)
{
    if (app.spec().name == speaker_)
        notify_.relay(news, apps_.size() == 1 && !app.policy().restarts());
    if (!news.ready)
        return;
    if (plan_.is_mutable)
        return on_added_app_changed(app);
    check_ready();
    start_next_apps();
}

void Supervisor::check_ready()
{
    const bool all_up = std::all_of(apps_.begin(), apps_.end(), [](auto& app) {
        return app->is_up() || (app->progress().has_ended() && !app->policy().failure_ends_pod);
    });
    if (is_ready_ || phase_ != Phase::running || !all_up)
        return;
    is_ready_ = true;
    trace::mark("apps up");
    try_to_record([&] { record_ready(pod_.dir.get()); });
    notify_.ready(plan_.is_mutable    ? "the sandbox is ready"
                  : apps_.size() == 1 ? "1 app is running"
                                      : fmt::format("{} apps are running", apps_.size()));
    const bool any_running = std::any_of(apps_.begin(), apps_.end(), [](auto& app) { return app->is_running(); });
    if (phase_ == Phase::running && (any_running || plan_.is_mutable))
        start_services();
}

// The journal's and the bus's sockets: after the apps, which do not wait for them.
void Supervisor::start_services()
{
    if (!manager_ || std::exchange(services_started_, true))
        return;
    manager_->start(services_unit, [](const std::string* error) {
        if (error != nullptr)
            log::print("warning: the pod's journal and bus are not available: {}", *error);
    });
}

} // namespace rocket::stage1
