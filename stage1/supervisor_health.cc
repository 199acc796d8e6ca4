// SPDX-License-Identifier: Apache-2.0
// The health of apps, as their pod's supervisor deals with it: who is checked, what becomes of an app that is not well,
// and what is written down.
#include "common/sys/cgroup.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage1/records.hh"
#include "stage1/supervisor.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* app_groups = "/system.slice/";

} // namespace

void Supervisor::watch_health(RunningApp& app)
{
    if (!app.policy().is_checked())
        return;
    health_.insert_or_assign(
        app.spec().name,
        std::make_unique<HealthChecker>(
            loop_, app.spec(), app.policy().health,
            HealthChecker::Events{.manager = [this] { return phase_ == Phase::running ? manager_.get() : nullptr; },
                                  .checked = [this, &app](Health::Change change) { on_checked(app, change); }}));
}

bool Supervisor::is_of_health(const std::string& unit, const UnitChange& change)
{
    for (auto& [name, checker] : health_)
        if (checker->on_unit(unit, change))
            return true;
    return false;
}

// Checked is what runs: not what ends, or waits for its next start.
void Supervisor::follow_health(const RunningApp& app, const UnitChange& change)
{
    const auto found = health_.find(app.spec().name);
    if (found == health_.end() || !change.active_state)
        return;
    if (*change.active_state == "active" && !app.progress().has_ended())
        found->second->app_runs();
    else
        found->second->app_rests();
}

void Supervisor::on_checked(RunningApp& app, Health::Change change)
{
    const auto& checker = *health_.at(app.spec().name);
    const auto& last = checker.last();
    try_to_record([&] {
        record_health(pod_.dir.get(), app.spec().name, checker.health(), last.finished_ns, last.status, last.output);
    });
    if (change == Health::Change::none)
        return;
    const auto name = text::quoted(app.spec().name);
    if (change == Health::Change::to_healthy) {
        log::print("app {} is healthy", name);
        app.found_healthy();
        check_ready();
        return start_next_apps();
    }
    log::print("app {} is unhealthy: {} checks in a row have failed, the last with status {}{}", name,
               checker.health().failing_streak(), last.status, last.output.empty() ? "" : ": " + last.output);
    act_on_unhealthy(app);
}

// One whose health is waited for in vain has failed to start.
void Supervisor::act_on_unhealthy(RunningApp& app)
{
    using Action = model::HealthCheck::Action;
    auto action = app.policy().health.on_failure;
    if (action == Action::none && app.policy().notify == model::AppPolicy::Notify::healthy && !app.is_up())
        action = Action::stop;
    if (action == Action::kill)
        cgroup::kill(group_.name + app_groups + app.unit());
    if (action == Action::stop) {
        app.progress().found_unhealthy();
        stop_app(app);
    }
    if (action == Action::restart && manager_) {
        app.progress().restart_requested();
        manager_->restart(app.unit(), nullptr);
    }
}

} // namespace rocket::stage1
