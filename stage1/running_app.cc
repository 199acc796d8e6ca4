// SPDX-License-Identifier: Apache-2.0
#include "stage1/running_app.hh"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/sys/sys.hh"
#include "stage1/pod_socket.hh"
#include "stage1/unit_properties.hh"

namespace rocket::stage1
{

using attach::Endpoint;
using model::StreamMode;

struct RunningApp::Start {
    std::vector<UnitProperty> properties;
    UnitStdio fds = {};
    std::vector<Fd> ends = {}; // the app's, until the call is sent
    attach::Endpoints offered = 0;
    Fd input = {}; // our end of its stdin
    bool on_terminal = false;
    bool by_descriptors = false; // PID 1 opens no terminal
};

namespace
{

UnitProperty text_property(const char* name, std::string value)
{
    return {name, std::move(value)};
}

std::unique_ptr<JournalStream> make_journal_stream(Journal& journal, const AppSpec& spec, int priority)
{
    return std::make_unique<JournalStream>(
        journal, JournalStream::Source{spec.name, unit_name(spec.name), priority, spec.uid, spec.gid});
}

} // namespace

RunningApp::RunningApp(AppSpec spec, const AppPlan& plan, Fd terminal, PodStreams pod)
    : spec_{std::move(spec)}, unit_{unit_name(spec_.name)}, streams_{plan.streams}, policy_{plan.policy},
      terminal_{std::move(terminal)}, pod_{pod}, progress_{policy_}
{
    if (streams_.output == StreamMode::log)
        journaled_output_ = make_journal_stream(pod_.journal, spec_, LOG_INFO);
    if (streams_.error == StreamMode::log)
        journaled_error_ = make_journal_stream(pod_.journal, spec_, LOG_WARNING);
    if (plan.log_file)
        log_file_.emplace(*plan.log_file);
}

// The app's end belongs to the app's user, so that /dev/stdout can be opened, and stays in `start`; ours is returned.
Fd RunningApp::new_pipe_for_app(Start& start, bool app_writes) const
{
    auto pipe = sys::make_pipe();
    auto& apps = app_writes ? pipe.write : pipe.read;
    sys::check([&] { return ::fchown(apps.get(), spec_.first_id + spec_.uid, spec_.first_id + spec_.gid); },
               "giving a pipe to app {}", text::quoted(spec_.name));
    start.ends.push_back(std::move(apps));
    return app_writes ? std::move(pipe.read) : std::move(pipe.write);
}

// PID 1 keeps descriptors for one start only (systemd 252). An app that is started again writes into a FIFO in the
// pod's /run, which no app sees; we hold both ends, so that it outlives each of the app's processes.
Fd RunningApp::new_fifo_for_app(Start& start, bool is_error) const
{
    const auto name = fifo_name(is_error);
    sys::unlink_if_exists(pod_.run, name); // of the last start
    sys::check([&] { return ::mkfifoat(pod_.run, name.c_str(), 0600); }, "making a FIFO for app {}",
               text::quoted(spec_.name));
    auto fifo = sys::open(pod_.run, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
    sys::check([&] { return ::fchown(fifo.get(), spec_.first_id + spec_.uid, spec_.first_id + spec_.gid); },
               "giving a FIFO to app {}", text::quoted(spec_.name));
    start.properties.push_back(text_property(is_error ? "StandardErrorFile" : "StandardOutputFile", "/run/" + name));
    return fifo;
}

std::string RunningApp::fifo_name(bool is_error) const
{
    return fmt::format("rocket-{}-{}", spec_.name, is_error ? "stderr" : "stdout");
}

void RunningApp::remove_fifos() const
{
    for (const bool is_error : {false, true})
        sys::unlink_if_exists(pod_.run, fifo_name(is_error));
}

Relay::Sinks::Tap RunningApp::tap_for(Endpoint endpoint)
{
    auto& point = pod_.attached.point(spec_.name);
    return {.take = [&point, endpoint](std::string_view bytes) { point.say(endpoint, bytes); },
            .end = [&point, endpoint] { point.end(endpoint); }};
}

void RunningApp::add_log_tap(Relay::Sinks& sinks, const char* stream)
{
    if (log_file_)
        sinks.taps.push_back({.take = [this, stream](std::string_view bytes) { log_file_->write(stream, bytes); },
                              .end = [this, stream] { log_file_->end(stream); }});
}

void RunningApp::reopen_log()
{
    if (log_file_)
        log_file_->reopen();
}

void RunningApp::connect_input(EventLoop&, Start& start)
{
    if (streams_.input == StreamMode::tty) {
        if (start.by_descriptors)
            start.fds.input = terminal_open_.get();
        else // "tty-force": the terminal has no other owner to wait for
            start.properties.push_back(text_property("StandardInput", "tty-force"));
    } else if (streams_.input == StreamMode::stream) {
        start.input = new_pipe_for_app(start, false);
        start.fds.input = start.ends.back().get();
        start.offered = attach::with(start.offered, Endpoint::input);
    }
}

void RunningApp::connect_output(EventLoop& loop, Start& start, bool is_error)
{
    const auto mode = is_error ? streams_.error : streams_.output;
    const char* const property = is_error ? "StandardError" : "StandardOutput";
    if (mode == StreamMode::tty) {
        if (start.by_descriptors)
            (is_error ? start.fds.error : start.fds.output) = terminal_open_.get();
        else
            start.properties.push_back(text_property(property, "tty"));
        return;
    }
    if (mode == StreamMode::null) {
        start.properties.push_back(text_property(property, "null"));
        return;
    }
    Relay::Sinks sinks;
    if (mode == StreamMode::log) {
        sinks.caller = is_error ? &pod_.error : &pod_.output;
        sinks.journal = (is_error ? journaled_error_ : journaled_output_).get();
    } else {
        const auto endpoint = is_error ? Endpoint::error : Endpoint::output;
        sinks.taps.push_back(tap_for(endpoint));
        start.offered = attach::with(start.offered, endpoint);
    }
    add_log_tap(sinks, is_error ? "stderr" : "stdout");
    auto from = policy_.restarts() ? new_fifo_for_app(start, is_error) : new_pipe_for_app(start, true);
    if (!policy_.restarts())
        (is_error ? start.fds.error : start.fds.output) = start.ends.back().get();
    relays_.push_back(std::make_unique<Relay>(loop, std::move(from), std::move(sinks), spec_.name));
}

void RunningApp::connect_terminal(EventLoop& loop, Start& start)
{
    start.on_terminal = true;
    // systemd 252 aborts when it is to open a terminal and to take descriptors for one app. An app with both gets the
    // terminal as a descriptor, too, and so has no controlling terminal.
    start.by_descriptors = !policy_.restarts() && (streams_.uses(StreamMode::log) || streams_.uses(StreamMode::stream));
    if (!start.by_descriptors)
        start.properties.push_back(text_property("TTYPath", app_root_in_pod(spec_.name) + "/dev/pts/0"));
    start.offered = attach::with(start.offered, Endpoint::terminal_out);
    if (streams_.input == StreamMode::tty)
        start.offered = attach::with(start.offered, Endpoint::terminal_in);
    terminal_open_ = Fd{sys::check([&] { return ::ioctl(terminal_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); },
                                   "opening the terminal of app {}", text::quoted(spec_.name))};
    Relay::Sinks sinks;
    sinks.taps.push_back(tap_for(Endpoint::terminal_out));
    add_log_tap(sinks, "stdout");
    relays_.push_back(std::make_unique<Relay>(loop, sys::duplicate(terminal_.get()), std::move(sinks), spec_.name));
}

// The path is PID 1's, which opens it before it changes root.
void RunningApp::use_callers(Start& start, bool has_terminal) const
{
    if (!has_terminal) {
        start.fds = {.input = STDIN_FILENO, .output = STDOUT_FILENO, .error = STDERR_FILENO};
        return;
    }
    start.properties.push_back(text_property("StandardInput", "tty-force"));
    start.properties.push_back(text_property("StandardOutput", "tty"));
    start.properties.push_back(text_property("StandardError", "tty"));
    start.properties.push_back(text_property("TTYPath", app_root_in_pod(spec_.name) + "/dev/pts/0"));
}

bool RunningApp::is_up() const noexcept
{
    const bool waits_for_health = policy_.notify == model::AppPolicy::Notify::healthy;
    if (!spec_.notifies && !waits_for_health)
        return progress_.is_up();
    return (waits_for_health ? was_healthy_ : said_ready_) || (progress_.has_ended() && !progress_.failed());
}

void RunningApp::listen(EventLoop& loop)
{
    const auto path = notify_socket_in_pod(spec_.name);
    notify_.emplace(loop, bind_open_socket(pod_.run, path.substr(path.rfind('/') + 1)), [this](const AppNews& news) {
        said_ready_ = said_ready_ || news.ready;
        if (told_)
            told_(news);
    });
}

void RunningApp::start(EventLoop& loop, Manager& manager, bool caller_has_terminal,
                       std::function<void(const std::string& why)> refused)
{
    begin_anew();
    if (spec_.notifies)
        listen(loop);
    Start start{.properties = unit_properties(spec_, policy_)};
    start.properties.push_back({"Description", "App " + spec_.name});
    // So that a pod that powers itself off stops its apps first, each in order (ACE-3).
    start.properties.push_back({"Conflicts", std::vector<std::string>{"shutdown.target"}});
    start.properties.push_back({"Before", std::vector<std::string>{"shutdown.target"}});
    if (streams_.uses(StreamMode::interactive)) {
        use_callers(start, caller_has_terminal);
    } else {
        if (streams_.uses(StreamMode::tty))
            connect_terminal(loop, start);
        connect_input(loop, start);
        connect_output(loop, start, false);
        connect_output(loop, start, true);
    }
    if (start.offered != 0) {
        pod_.attached.listen();
        pod_.attached.point(spec_.name)
            .begin(start.offered, std::move(start.input), start.on_terminal ? sys::duplicate(terminal_.get()) : Fd{});
    }
    if (restartable_)
        start.properties.push_back(text_property("CollectMode", "inactive-or-failed"));
    started_ = true;
    with_context(fmt::format("starting app {}", text::quoted(spec_.name)), [&] {
        manager.start_transient(unit_, start.properties, start.fds,
                                [this, refused = std::move(refused)](const std::string* error) {
                                    expected_ = true;
                                    if (error != nullptr)
                                        refused(*error);
                                });
    }); // the message has its own copies of the app's ends
}

// News of the last run can still be on the way, until PID 1 has answered the call for this one.
void RunningApp::begin_anew()
{
    if (!started_)
        return;
    progress_ = AppProgress{policy_};
    relays_.clear();
    said_ready_ = false;
    was_healthy_ = false;
    expected_ = false;
}

void RunningApp::apply(const UnitChange& change)
{
    if (!expected_)
        return;
    progress_.apply(change);
    for (auto& relay : relays_)
        relay->set_pid(progress_.pid());
}

void RunningApp::finish_output(const std::function<void()>& done)
{
    const auto finished = [this, done] {
        terminal_open_.reset();
        if (started_)
            pod_.attached.point(spec_.name).end_all();
        done();
    };
    unfinished_ = relays_.size();
    if (unfinished_ == 0)
        return finished();
    for (auto& relay : relays_)
        relay->finish([this, finished] {
            if (--unfinished_ == 0)
                finished();
        });
}

} // namespace rocket::stage1
