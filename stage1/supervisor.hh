// SPDX-License-Identifier: Apache-2.0
// The life of a pod from the exec of its PID 1 to its end: starts the apps, hands on what they write, tells the host's
// managers, stops them when asked, and decides the pod's exit status (cli 9.5). run() returns when nothing of the pod
// is left. Errors: what makes supervising impossible; the pod is gone then, too.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stage1/app/change_watch.hh"
#include "stage1/app/control.hh"
#include "stage1/app/helper.hh"
#include "stage1/attach/server.hh"
#include "stage1/caller_terminal.hh"
#include "stage1/event_loop.hh"
#include "stage1/health_checker.hh"
#include "stage1/host_notify.hh"
#include "stage1/journal.hh"
#include "stage1/launch.hh"
#include "stage1/live_names.hh"
#include "stage1/manager.hh"
#include "stage1/net/pod_network.hh"
#include "stage1/output.hh"
#include "stage1/running_app.hh"
#include "stage1/start_order.hh"
#include "stage1/teardown.hh"

namespace rocket::stage1
{

class Supervisor
{
public:
    struct Group { // the pod's cgroup
        std::string name;
        GroupOwner owner;
    };
    // `network`: begun, and awaited before the first app; nullptr if the pod has none to be set up.
    Supervisor(EventLoop& loop, HostNotify& notify, const Pod& pod, const Plan& plan, const RunOptions& options,
               Launched launched, Group group, PodNetwork* network);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    int run(); // the exit status

private:
    enum class Phase { booting, running, stopping, draining, over };

    // booting
    void add_apps(const Plan& plan);
    bool report_unstartable();
    void on_notify();
    bool connect();
    void start_apps(); // once PID 1 and the network are there
    void start_next_apps();
    OtherApp look_up(const model::AppName& name) const;
    void on_not_started(RunningApp& app, const std::string& why);
    void on_network(const Error* failed);
    bool register_with_service();
    void follow_name_files(const Plan& plan);
    void on_manager_lost();
    void watch_for_socket();
    void reconnect();

    // running
    void on_unit(const std::string& unit, const UnitChange& change);
    void listen_to(RunningApp& app);
    void on_told(RunningApp& app, const AppNews& news);
    void on_ended(RunningApp& app);
    void record(const RunningApp& app) const;
    void report(const RunningApp& app) const;
    void check_ready();
    void start_services();

    // health (supervisor_health.cc)
    void watch_health(RunningApp& app);
    bool is_of_health(const std::string& unit, const UnitChange& change);
    void follow_health(const RunningApp& app, const UnitChange& change);
    void on_checked(RunningApp& app, Health::Change change);
    void act_on_unhealthy(RunningApp& app);

    // apps that come and go (supervisor_apps.cc)
    using Answer = AppControl::Answer;
    struct Change { // a helper at work
        AppHelper helper;
        Source done;
    };
    const PrivateUsers* users() const noexcept;
    void finish_change(const model::AppName& name);
    RunningApp* find_app(const std::string& name) noexcept;
    void on_request(const AppRequest& request, const Answer& answer);
    void add_app(const model::AppName& name, const Answer& answer);
    void remove_app(const model::AppName& name, const Answer& answer);
    void start_app(RunningApp& app, const Answer& answer);
    void call_for_start(RunningApp& app, int attempts);
    void give_up_start(RunningApp& app, const std::string& why);
    void end_app(RunningApp& app, const Answer& answer);
    void dismiss_requests();
    void on_added_app_changed(RunningApp& app);
    void watch_helper(const std::string& app, AppHelper helper, const Answer& answer,
                      std::function<void(AppHelper&)> finish);
    void tell(std::multimap<std::string, Answer>& waiting, const std::string& app, const Error* error);

    // ending
    void on_signal(int signal);
    void stop_all(const std::string& reason);
    void kill_all(const std::string& reason);
    void stop_app(RunningApp& app);
    bool is_over(const RunningApp& app) const;
    static std::uint64_t stop_limit(const RunningApp& app);
    void on_init_gone();
    void end_if_all_ended();
    void drain();
    void finish(const std::string& reason);
    int exit_status() const;

    EventLoop& loop_;
    HostNotify& notify_;
    const Pod& pod_;
    const Plan& plan_;
    const RunOptions& options_;
    Launched launched_;
    Group group_;
    PodNetwork* network_;
    LiveNames names_;
    Output output_, error_;
    Journal journal_;
    attach::Server attached_;
    std::optional<CallerTerminal> terminal_;
    std::vector<std::unique_ptr<RunningApp>> apps_;
    std::map<std::string, std::unique_ptr<HealthChecker>> health_; // by app
    std::unique_ptr<Relay> console_;                               // debug: what PID 1 says
    Fd console_peer_;
    std::unique_ptr<Manager> manager_;
    std::optional<AppControl> control_; // of a mutable pod
    std::optional<ChangeWatch> change_watch_;
    std::map<std::string, Change> changes_;
    std::multimap<std::string, Answer> waiting_for_start_, waiting_for_end_;
    std::map<std::string, Source> timers_; // of apps that start or end
    Phase phase_ = Phase::booting;
    bool is_ready_ = false;
    bool services_started_ = false;
    bool set_up_failed_ = false;
    const RunningApp* first_failure_ = nullptr;
    std::size_t undrained_ = 0;
    std::string reason_;
    std::string speaker_; // the app that speaks for the pod; may be empty
    Fd notify_socket_;
    Fd socket_watch_; // inotify: PID 1's socket comes back
    Source notified_, init_gone_, deadline_, socket_comes_;
    std::vector<Source> signals_;
};

} // namespace rocket::stage1
