// SPDX-License-Identifier: Apache-2.0
#include "stage1/supervisor.hh"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/sys/cgroup.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/trace.hh"
#include "stage1/metadata.hh"
#include "stage1/pod_socket.hh"
#include "stage1/records.hh"

namespace rocket::stage1
{

namespace
{

constexpr int refused_filter = 228; // EXIT_SECCOMP
constexpr const char* filter_of_unit =
    "; neither LockPersonality= nor SystemCallFilter= of the pod's unit may forbid it";

constexpr const char* manager_socket = "systemd/private";
constexpr const char* journal_socket = "systemd/journal/stdout";
constexpr const char* journal_socket_unit = "systemd-journald.socket";
constexpr const char* journal_unit = "systemd-journald.service";
constexpr const char* app_groups = "/system.slice/"; // in the pod's group, by unit (unit_properties.cc)

bool is_dead(const std::optional<std::string>& state)
{
    return state == "inactive" || state == "failed";
}

} // namespace

// --- booting --------------------------------------------------------------------------------------------------------

Supervisor::Supervisor(EventLoop& loop, HostNotify& notify, const Pod& pod, const Plan& plan, const RunOptions& options,
                       Launched launched, Group group, PodNetwork* network)
    : loop_{loop}, notify_{notify}, pod_{pod}, plan_{plan}, options_{options}, launched_{std::move(launched)},
      group_{std::move(group)}, network_{network}, names_{loop, launched_.run.get(), pod}, output_{loop, STDOUT_FILENO},
      error_{loop, STDERR_FILENO},
      journal_{
          loop,
          Journal::Pod{
              .connect = [this] { return connect_in_pod(launched_.run.get(), journal_socket, launched_.init.pidfd()); },
              .sender =
                  [this](const std::string& unit) {
                      const auto processes = cgroup::processes(group_.name + app_groups + unit);
                      return processes.empty() ? 0 : processes.front();
                  },
              .start = [this] { start_services(); },
              .stop =
                  [this] {
                      if (!manager_) // on_reconnected() will ask again
                          return;
                      manager_->stop(journal_unit, [this](const std::string* error) {
                          if (error != nullptr)
                              journal_.on_stopped();
                      });
                  },
              .warn = [](const std::string& why) { log::print("warning: the pod's journal is incomplete: {}", why); }}},
      attached_{loop, pod.dir.get()}
{
    follow_name_files(plan);
    if (const auto* const speaker = plan.is_mutable ? nullptr : speaker_of(pod)) {
        speaker_ = speaker->name.str();
        notify_.app_speaks();
    }
    add_apps(plan);
    if (plan.is_mutable) {
        control_.emplace(loop_, pod_.dir.get(),
                         [this](const AppRequest& request, const Answer& answer) { on_request(request, answer); });
        change_watch_.emplace(loop_, pod_.dir.get(), [this](const model::AppName& app) { finish_change(app); });
    }
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT})
        signals_.push_back(loop_.on_signal(signal, [this, signal](std::uint32_t) { on_signal(signal); }));
    signals_.push_back(loop_.on_signal(SIGUSR1, [this](std::uint32_t) { // log files were moved away
        for (auto& app : apps_)
            app->reopen_log();
    }));
    init_gone_ = loop_.on_io(launched_.init.pidfd(), EPOLLIN, [this](std::uint32_t) { on_init_gone(); });
    if (launched_.console) {
        console_peer_ =
            Fd{::ioctl(launched_.console.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)}; // keeps it open
        console_ =
            std::make_unique<Relay>(loop_, std::move(launched_.console), Relay::Sinks{.caller = &error_}, "systemd");
        console_->set_pid(1);
    }
}

Supervisor::~Supervisor() = default;

void Supervisor::add_apps(const Plan& plan)
{
    for (std::size_t index = 0; index < launched_.apps.size(); ++index) {
        const auto& app = plan.apps[index];
        auto terminal = std::move(launched_.terminals[index]); // the caller's, if it has one, takes it over
        if (app.streams.uses(model::StreamMode::interactive) && ::isatty(STDIN_FILENO) == 1) {
            terminal_.emplace(loop_, std::move(terminal), [this] { kill_all("killed from the terminal"); });
            terminal = Fd{};
        }
        apps_.push_back(
            std::make_unique<RunningApp>(std::move(launched_.apps[index]), app, std::move(terminal),
                                         PodStreams{output_, error_, journal_, attached_, launched_.run.get()}));
        listen_to(*apps_.back());
        watch_health(*apps_.back());
    }
}

// An app that cannot be executed at all ends the pod before PID 1 is asked for anything.
bool Supervisor::report_unstartable()
{
    for (auto& app : apps_) {
        if (app->spec().exec_error.empty())
            continue;
        log::print("app {}: {}", text::quoted(app->spec().name), app->spec().exec_error);
        app->progress().end_with({.code = AppProgress::exec_failed});
        record(*app);
        if (first_failure_ == nullptr)
            first_failure_ = app.get();
    }
    return first_failure_ != nullptr;
}

int Supervisor::run()
{
    if (network_ != nullptr)
        network_->when_done(loop_, [this](const Error* failed) { on_network(failed); });
    if (report_unstartable()) {
        finish("app " + text::quoted(first_failure_->spec().name) + " cannot be executed");
    } else {
        // First the socket, then the look: whichever way round PID 1 does it, we do not miss that it is ready.
        notify_socket_ = bind_notify_socket(launched_.run.get());
        notified_ = loop_.on_io(notify_socket_.get(), EPOLLIN, [this](std::uint32_t) { on_notify(); });
        if (connect())
            start_apps();
    }
    loop_.run();
    const bool gone = tear_down(std::move(launched_.init), group_.name, group_.owner);
    trace::mark("pod gone");
    if (!gone)
        log::print("warning: processes of the pod are still dying in cgroup {}", text::quoted(group_.name));
    const int status = exit_status();
    try_to_record([&] { record_exit(pod_.dir.get(), status, reason_); });
    return status;
}

void Supervisor::on_notify()
{
    char message[4096];
    const auto size = ::recv(notify_socket_.get(), message, sizeof message, MSG_DONTWAIT);
    const std::string_view text{message, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    if (text.find("READY=1") == std::string_view::npos || phase_ != Phase::booting)
        return;
    trace::mark("systemd ready");
    if (!connect())
        fail(Error::Kind::system, "the pod's systemd is ready but does not listen on its private socket");
    start_apps();
}

bool Supervisor::connect()
{
    auto socket = connect_in_pod(launched_.run.get(), manager_socket, launched_.init.pidfd());
    if (!socket)
        return false;
    notified_.reset();
    notify_socket_.reset(); // closed, or PID 1 would wait for us to read
    manager_ = std::make_unique<Manager>(
        loop_, std::move(*socket),
        Manager::Events{.changed = [this](const std::string& unit, const UnitChange& change) { on_unit(unit, change); },
                        .lost = [this] { on_manager_lost(); }});
    trace::mark("connected");
    return true;
}

void Supervisor::follow_name_files(const Plan& plan)
{
    if (plan.resolv_conf != NameFile::image)
        names_.keep_resolv_conf();
    if (plan.resolv_conf == NameFile::host)
        names_.follow_host("resolv.conf");
    if (plan.hosts == NameFile::host)
        names_.follow_host("hosts");
}

void Supervisor::on_network(const Error* failed)
{
    if (failed != nullptr) {
        log::error(*failed, "setting up the pod's network");
        set_up_failed_ = true;
        return finish(fmt::format("the network could not be set up: {}", failed->innermost()));
    }
    names_.on_network(network_->state());
    if (options_.mds_register && !register_with_service())
        return;
    if (manager_ && phase_ == Phase::booting)
        start_apps();
}

// Which of the host's addresses the apps are to ask is only known now.
bool Supervisor::register_with_service()
{
    try {
        const auto url = register_pod(pod_, &network_->state());
        launched_.facts.metadata_url = url; // for apps that are added
        for (auto& app : apps_) {
            app->add_variable({"AC_METADATA_URL", url});
            save(app->spec(), pod_.dir.get());
        }
        return true;
    } catch (const Error& error) {
        log::error(error);
        set_up_failed_ = true;
        finish(error.what());
        return false;
    }
}

void Supervisor::start_apps()
{
    if (network_ != nullptr && !network_->is_up())
        return; // on_network() comes
    phase_ = Phase::running;
    start_next_apps();
    trace::mark("apps started");
    check_ready(); // a pod without apps is
}

// Those whose turn has come: all of them at once, unless they are to wait for each other.
void Supervisor::start_next_apps()
{
    if (plan_.is_mutable) // each is started by a request of its own
        return;
    for (auto& app : apps_) {
        if (phase_ != Phase::running || !manager_) // on_reconnected() looks again
            return;
        if (app->was_started() || app->progress().has_ended())
            continue;
        const auto turn = turn_of(app->policy(), [this](const model::AppName& name) { return look_up(name); });
        if (turn == Turn::now)
            app->start(loop_, *manager_, terminal_.has_value(),
                       [this, &app = *app](const std::string& why) { on_not_started(app, why); });
        if (turn == Turn::never)
            on_not_started(*app, "an app that it needs has failed");
    }
}

OtherApp Supervisor::look_up(const model::AppName& name) const
{
    for (const auto& app : apps_)
        if (app->spec().name == name.str())
            return {app->is_up(), app->progress().has_ended(), app->progress().failed()};
    return {};
}

void Supervisor::on_not_started(RunningApp& app, const std::string& why)
{
    constexpr int not_started = 254;
    log::print("app {} cannot be started: {}", text::quoted(app.spec().name), why);
    app.progress().end_with({.code = not_started});
    on_ended(app);
}

// PID 1 is about to end (then on_init_gone() follows), or it starts itself over: systemd does so on SIGTERM, which it
// gets from a host's unit that is stopped with KillMode=control-group, together with everything else in the pod.
void Supervisor::on_manager_lost()
{
    if (phase_ == Phase::booting)
        fail(Error::Kind::system, "the pod's systemd closed the connection");
    if (phase_ == Phase::over)
        return;
    trace::mark("manager lost");
    socket_comes_ = loop_.after(0, [this](std::uint32_t) { // not from within a callback of the lost one
        manager_.reset();
        watch_for_socket();
        reconnect();
    });
}

void Supervisor::watch_for_socket()
{
    socket_watch_ = Fd{sys::check([] { return ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }, "making a watch")};
    const auto place = sys::proc_path(launched_.run.get()) + "/systemd";
    sys::check([&] { return ::inotify_add_watch(socket_watch_.get(), place.c_str(), IN_CREATE | IN_ATTRIB); },
               "watching the pod's /run/systemd");
    socket_comes_ = loop_.on_io(socket_watch_.get(), EPOLLIN, [this](std::uint32_t) {
        char events[4096];
        [[maybe_unused]] const auto size =
            ::read(socket_watch_.get(), events, sizeof events); // what is new we see below
        reconnect();
    });
}

// Back in touch, everything may have changed meanwhile, and what was asked for last may not have been heard.
void Supervisor::reconnect()
{
    try {
        if (!connect())
            return;
    } catch (const Error&) { // its PID namespace is on its way out
        return;
    }
    socket_comes_.reset();
    socket_watch_.reset();
    services_started_ = false;
    for (const auto& unit : {journal_socket_unit, journal_unit})
        manager_->refresh(unit);
    for (auto& app : apps_) {
        if (!app->is_running())
            continue;
        manager_->refresh(app->unit());
        if (phase_ == Phase::stopping)
            stop_app(*app);
    }
    for (auto& [name, checker] : health_)
        checker->on_reconnected();
    journal_.on_reconnected();
    start_next_apps();
}

// --- running --------------------------------------------------------------------------------------------------------

void Supervisor::on_unit(const std::string& unit, const UnitChange& change)
{
    if (unit == journal_socket_unit && change.active_state == "active")
        journal_.on_listening();
    if (unit == journal_unit && change.active_state == "active")
        journal_.on_running();
    if (unit == journal_unit && is_dead(change.active_state))
        journal_.on_stopped();
    if (is_of_health(unit, change))
        return;
    for (auto& app : apps_) {
        if (app->unit() != unit || app->progress().has_ended())
            continue;
        app->apply(change);
        follow_health(*app, change);
        if (app->progress().is_in_doubt() && manager_)
            manager_->ask_state(unit);
        if (plan_.is_mutable)
            return on_added_app_changed(*app);
        check_ready();
        if (app->progress().has_ended())
            on_ended(*app);
    }
    start_next_apps();
}

void Supervisor::on_ended(RunningApp& app)
{
    trace::mark("app ended");
    record(app);
    report(app);
    if (app.progress().failed() && first_failure_ == nullptr)
        first_failure_ = &app;
    if (app.progress().failed() && app.policy().failure_ends_pod)
        stop_all("app " + text::quoted(app.spec().name) + " failed");
    check_ready();
    start_next_apps();
    end_if_all_ended();
}

void Supervisor::record(const RunningApp& app) const
{
    try_to_record([&] { record_result(pod_.dir.get(), app.spec().name, app.progress().result()); });
}

// What the exit status alone would not tell.
void Supervisor::report(const RunningApp& app) const
{
    const auto name = text::quoted(app.spec().name);
    const auto& result = app.progress().result();
    if (app.progress().failed_in_setup() && result.code == AppProgress::exec_failed)
        log::print("app {}: {} cannot be executed: it, or its interpreter, is missing or not executable", name,
                   text::quoted(app.spec().main.path));
    else if (app.progress().failed_in_setup())
        log::print("app {} could not be set up: status {} (see systemd.exec(5), \"Process Exit Codes\"){}", name,
                   *result.code, *result.code == refused_filter ? filter_of_unit : "");
    else if (app.progress().failed_before_main() && app.spec().pre_start && app.progress().failed())
        log::print("app {}: pre-start handler {} failed", name, text::quoted(app.spec().pre_start->path));
    else if (result.oom)
        log::print("app {} was killed: out of memory", name);
}

} // namespace rocket::stage1
