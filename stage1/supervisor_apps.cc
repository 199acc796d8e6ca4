// SPDX-License-Identifier: Apache-2.0
// The supervisor of a mutable pod: apps are added, started, stopped and removed while it runs, each by one request that
// is answered when it is done. How an app ends changes nothing for the others.
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "common/sys/cgroup.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"
#include "stage1/pod_limits.hh"
#include "stage1/records.hh"
#include "stage1/security_labels.hh"
#include "stage1/supervisor.hh"

namespace rocket::stage1
{

namespace
{

constexpr const char* app_groups = "/system.slice/";
constexpr std::uint64_t retry_usec = 20'000;
constexpr const char* still_known = "org.freedesktop.systemd1.UnitExists";
constexpr int most_attempts = 500; // to start a unit that is still being forgotten from its last run

Error no_such_app(const std::string& name)
{
    return Error{Error::Kind::usage, fmt::format("nonexistent app {}", text::quoted(name))};
}

// An app that is added starts when it is told to, and its end is its own affair.
void refuse_policies_of_pods(const model::RuntimeApp& app, const model::AppPolicy& policy)
{
    const bool order = !policy.after.empty() || !policy.needs.empty();
    if (order || model::find(app.annotations, "rocket/on-failure") != nullptr)
        throw Error{Error::Kind::unsupported,
                    fmt::format("app {}: rocket/{} is for pods that start their apps themselves",
                                text::quoted(app.name.str()), order ? "after and rocket/requires" : "on-failure"),
                    "apps of a sandbox start when `rocket app start` says so, and their end does not end it"};
}

} // namespace

const PrivateUsers* Supervisor::users() const noexcept
{
    return launched_.users ? &*launched_.users : nullptr;
}

RunningApp* Supervisor::find_app(const std::string& name) noexcept
{
    const auto found = std::find_if(apps_.begin(), apps_.end(), [&](auto& app) { return app->spec().name == name; });
    return found == apps_.end() ? nullptr : found->get();
}

void Supervisor::on_request(const AppRequest& request, const Answer& answer)
{
    if (phase_ != Phase::running)
        fail(Error::Kind::busy, "the pod is {}", phase_ == Phase::booting ? "only just starting" : "ending");
    if (request.verb == AppVerb::remove)
        changes_.erase(request.app.str()); // whoever wanted it is gone; its helper is killed
    if (changes_.contains(request.app.str()))
        fail(Error::Kind::busy, "app {} is just being added or removed", text::quoted(request.app.str()));
    if (request.verb == AppVerb::add)
        return add_app(request.app, answer);
    if (request.verb == AppVerb::remove)
        return remove_app(request.app, answer);
    auto* const app = find_app(request.app.str());
    if (app == nullptr)
        throw no_such_app(request.app.str());
    if (request.verb == AppVerb::start)
        return start_app(*app, answer);
    if (!app->is_running())
        fail(Error::Kind::usage, "app {} is not running", text::quoted(request.app.str()));
    end_app(*app, answer);
}

// `finish` is called when the helper has said all; what it throws is the answer.
void Supervisor::watch_helper(const std::string& app, AppHelper helper, const Answer& answer,
                              std::function<void(AppHelper&)> finish)
{
    auto& change = changes_[app];
    change.helper = std::move(helper);
    change.done =
        loop_.on_io(change.helper.channel.fd(), EPOLLIN, [=, this, finish = std::move(finish)](std::uint32_t) {
            auto owned = std::move(changes_.at(app)); // with this callback
            changes_.erase(app);
            try {
                finish(owned.helper);
            } catch (const Error& error) {
                return answer(&error);
            }
            answer(nullptr);
        });
}

void Supervisor::add_app(const model::AppName& name, const Answer& answer)
{
    if (find_app(name.str()) != nullptr)
        fail(Error::Kind::usage, "app {} is in the pod already", text::quoted(name.str()));
    const auto pod = load_app(pod_.id, sys::duplicate(pod_.dir.get()), name);
    const auto plan = make_plan(pod, options_);
    const auto streams = plan.apps[0].streams;
    refuse_policies_of_pods(pod.manifest.apps[0], plan.apps[0].policy);
    if (streams.uses(model::StreamMode::interactive))
        fail(Error::Kind::usage, "an app that is added to a pod has no caller to be interactive with: use tty");
    Terminal terminal;
    if (streams.has_terminal())
        terminal = make_terminal(users());
    auto facts = launched_.facts;
    facts.disks = disks_to_limit(pod.manifest);
    check_labels(pod.manifest, facts);
    auto helper = start_adding(pod, plan, facts, launched_.init.pidfd(), std::move(terminal.filesystem), users());
    const auto master = std::make_shared<Fd>(std::move(terminal.master));
    watch_helper(name.str(), std::move(helper), answer, [this, app = plan.apps[0], master](AppHelper& done) {
        auto spec = std::move(done.channel.receive(1).front());
        save(spec, pod_.dir.get());
        introduce_user(launched_.run.get(), spec);
        for (const auto& report : spec.reports) // ISO-5
            log::print("app {}: {}", text::quoted(spec.name), text::printable(report));
        record_created(pod_.dir.get(), spec.name);
        apps_.push_back(
            std::make_unique<RunningApp>(std::move(spec), app, std::move(*master),
                                         PodStreams{output_, error_, journal_, attached_, launched_.run.get()}));
        apps_.back()->make_restartable();
        listen_to(*apps_.back());
        watch_health(*apps_.back());
    });
}

// What a killed command has left of the app is the next one's to take away; here it ends.
void Supervisor::finish_change(const model::AppName& name)
{
    const auto app = text::quoted(name.str());
    log::print("the command that was adding or removing app {} was killed: the app is removed", app);
    const auto answer = [app](const Error* error) {
        if (error != nullptr)
            log::error(*error, "removing app " + app);
    };
    try {
        on_request({AppVerb::remove, name}, answer);
    } catch (const Error& error) {
        answer(&error);
    }
}

// Also of one that we do not know, whose addition has failed half-way: nothing of it may stay.
void Supervisor::remove_app(const model::AppName& name, const Answer& answer)
{
    auto* const app = find_app(name.str());
    if (app != nullptr && (app->is_running() || app->is_draining()))
        return end_app(*app, [=, this](const Error* error) {
            if (error != nullptr)
                return answer(error);
            try {
                on_request({AppVerb::remove, name}, answer);
            } catch (const Error& other) {
                answer(&other);
            }
        });
    watch_helper(name.str(), start_removing(name.str(), launched_.init.pidfd(), users()), answer,
                 [this, name = name.str()](AppHelper& done) {
                     [[maybe_unused]] const auto none = done.channel.receive(0);
                     if (!done.process.wait().ok())
                         fail(Error::Kind::system, "the process that removes app {} was killed", text::quoted(name));
                     attached_.remove(name);
                     health_.erase(name);
                     if (auto* const gone = find_app(name))
                         gone->remove_fifos();
                     std::erase_if(apps_, [&](const auto& one) { return one->spec().name == name; });
                 });
}

void Supervisor::start_app(RunningApp& app, const Answer& answer)
{
    if (app.is_running())
        return answer(nullptr);
    const auto& spec = app.spec();
    if (!spec.exec_error.empty())
        fail(Error::Kind::usage, "{}", spec.exec_error);
    if (app.is_draining())
        fail(Error::Kind::busy, "the last output of app {} is still being read", text::quoted(spec.name));
    record_started(pod_.dir.get(), spec.name);
    waiting_for_start_.emplace(spec.name, answer);
    call_for_start(app, most_attempts);
}

void Supervisor::call_for_start(RunningApp& app, int attempts)
{
    const auto refused = [this, &app, attempts](const std::string& why) {
        if (why.find(still_known) == std::string::npos || attempts == 0)
            return give_up_start(app, why);
        timers_[app.spec().name] =
            loop_.after(retry_usec, [this, &app, attempts](std::uint32_t) { call_for_start(app, attempts - 1); });
    };
    try {
        if (!manager_)
            fail(Error::Kind::busy, "the pod's systemd is starting over");
        app.start(loop_, *manager_, false, refused);
    } catch (const Error& error) {
        give_up_start(app, error.what());
    }
}

void Supervisor::give_up_start(RunningApp& app, const std::string& why)
{
    const Error error{Error::Kind::system,
                      fmt::format("app {} cannot be started: {}", text::quoted(app.spec().name), why)};
    tell(waiting_for_start_, app.spec().name, &error);
    app.progress().end_with({.code = 254});
    on_added_app_changed(app);
}

// Nobody who waits for an answer may call us once the socket is gone.
void Supervisor::dismiss_requests()
{
    const Error error{Error::Kind::busy, "the pod is ending"};
    for (auto* waiting : {&waiting_for_start_, &waiting_for_end_})
        while (!waiting->empty())
            waiting->extract(waiting->begin()).mapped()(&error);
    changes_.clear(); // their helpers are killed
    change_watch_.reset();
    control_.reset();
}

void Supervisor::tell(std::multimap<std::string, Answer>& waiting, const std::string& app, const Error* error)
{
    while (auto node = waiting.extract(app))
        node.mapped()(error);
}

void Supervisor::on_added_app_changed(RunningApp& app)
{
    const auto& name = app.spec().name;
    if (!app.progress().has_ended()) {
        if (app.is_up())
            tell(waiting_for_start_, name, nullptr);
        return;
    }
    timers_.erase(name);
    record(app);
    report(app);
    const Error error{Error::Kind::system, fmt::format("app {} could not be started: status {}", text::quoted(name),
                                                       app.progress().result().status())};
    tell(waiting_for_start_, name, app.progress().failed_in_setup() ? &error : nullptr);
    if (phase_ == Phase::stopping)
        return end_if_all_ended();
    app.finish_output([this, name] { tell(waiting_for_end_, name, nullptr); });
}

// In order, with the unit's own time-out; what outlives that, is killed.
void Supervisor::end_app(RunningApp& app, const Answer& answer)
{
    const auto& name = app.spec().name;
    waiting_for_end_.emplace(name, answer);
    if (!app.is_running())
        return; // it has ended: only its output is not read yet
    app.progress().stop_requested();
    stop_app(app);
    timers_[name] = loop_.after(
        stop_limit(app), [group = group_.name + app_groups + app.unit()](std::uint32_t) { cgroup::kill(group); });
}

} // namespace rocket::stage1
