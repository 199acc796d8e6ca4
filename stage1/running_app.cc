// SPDX-License-Identifier: Apache-2.0
#include "stage1/running_app.hh"

#include <syslog.h>
#include <unistd.h>

#include "common/sys/sys.hh"
#include "stage1/unit_properties.hh"

namespace rocket::stage1
{

namespace
{

// "tty-force": the terminal has no other owner to wait for. The path is PID 1's, which opens it before it changes root.
void add_terminal(std::vector<UnitProperty>& properties, const std::string& app)
{
    properties.push_back({"StandardInput", std::string{"tty-force"}});
    properties.push_back({"StandardOutput", std::string{"tty"}});
    properties.push_back({"StandardError", std::string{"tty"}});
    properties.push_back({"TTYPath", app_root_in_pod(app) + "/dev/pts/0"});
}

} // namespace

// A new pipe from the app to us; the app's end is returned and stays in write_ends_. It belongs to the app's user, so
// that /dev/stdout can be opened.
int RunningApp::add_relay(EventLoop& loop, Output& to, int priority)
{
    auto pipe = sys::make_pipe();
    sys::check([&] { return ::fchown(pipe.write.get(), spec_.uid, spec_.gid); }, "giving a pipe to app {}",
               text::quoted(spec_.name));
    auto stream = std::make_unique<JournalStream>(
        *stdio_.journal, JournalStream::Source{spec_.name, unit_, priority, spec_.uid, spec_.gid});
    relays_.push_back(std::make_unique<Relay>(loop, std::move(pipe.read), to, std::move(stream), spec_.name));
    write_ends_.push_back(std::move(pipe.write));
    return write_ends_.back().get();
}

void RunningApp::start(EventLoop& loop, Manager& manager, std::function<void(const std::string& why)> refused)
{
    auto properties = unit_properties(spec_);
    properties.push_back({"Description", "App " + spec_.name});
    // So that a pod that powers itself off stops its apps first, each in order (ACE-3).
    properties.push_back({"Conflicts", std::vector<std::string>{"shutdown.target"}});
    properties.push_back({"Before", std::vector<std::string>{"shutdown.target"}});
    UnitStdio fds;
    switch (stdio_.kind) {
    case Stdio::Kind::relayed:
        fds.output = add_relay(loop, *stdio_.output, LOG_INFO);
        fds.error = add_relay(loop, *stdio_.error, LOG_WARNING);
        break;
    case Stdio::Kind::terminal:
        add_terminal(properties, spec_.name);
        break;
    case Stdio::Kind::passed:
        fds = {.input = STDIN_FILENO, .output = STDOUT_FILENO, .error = STDERR_FILENO};
        break;
    }
    started_ = true;
    with_context(fmt::format("starting app {}", text::quoted(spec_.name)), [&] {
        manager.start_transient(unit_, properties, fds, [refused = std::move(refused)](const std::string* error) {
            if (error != nullptr)
                refused(*error);
        });
    });
    write_ends_.clear(); // the message has its own copies
}

void RunningApp::apply(const UnitChange& change)
{
    progress_.apply(change);
    for (auto& relay : relays_)
        relay->set_pid(progress_.pid());
}

void RunningApp::finish_output(const std::function<void()>& done)
{
    unfinished_ = relays_.size();
    if (unfinished_ == 0)
        return done();
    for (auto& relay : relays_)
        relay->finish([this, done] {
            if (--unfinished_ == 0)
                done();
        });
}

} // namespace rocket::stage1
