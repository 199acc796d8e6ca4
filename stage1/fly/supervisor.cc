// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/supervisor.hh"

#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <csignal>

#include "common/sys/cgroup.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/trace.hh"
#include "stage1/fly/limits.hh"
#include "stage1/fly/setup.hh"
#include "stage1/process_clone.hh"
#include "stage1/records.hh"

namespace rocket::stage1::fly
{

namespace
{

constexpr std::uint64_t stop_timeout_usec = 10'000'000; // from SIGTERM to SIGKILL, as in the default flavour
constexpr int post_stop_milliseconds = 10'000;
constexpr int dying_milliseconds = 10'000;
constexpr int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

std::uint64_t now_ns()
{
    return static_cast<std::uint64_t>(sys::realtime_nsec());
}

} // namespace

Supervisor::Supervisor(EventLoop& loop, HostNotify& notify, const Pod& pod, Launched launched, std::string group)
    : loop_{loop}, notify_{notify}, pod_{pod}, launched_{std::move(launched)}, group_{std::move(group)}
{
    if (launched_.terminal)
        terminal_.emplace(loop_, std::move(launched_.terminal), [this] { kill_all(); });
    for (const int signal : passed_on)
        signals_.push_back(loop_.on_signal(signal, [this, signal](std::uint32_t) { on_signal(signal); }));
    said_ = loop_.on_io(launched_.channel.fd(), EPOLLIN, [this](std::uint32_t) { on_channel(); });
    ended_ = loop_.on_io(launched_.app.pidfd(), EPOLLIN, [this](std::uint32_t) { on_ended(); });
}

ExitStatus Supervisor::run()
{
    const auto name = text::quoted(launched_.spec.name);
    for (const auto& report : launched_.spec.reports) // ISO-5
        log::print("app {}: {}", name, text::printable(report));
    if (launched_.spec.exec_error.empty()) {
        loop_.run();
    } else {
        log::print("app {}: {}", name, launched_.spec.exec_error);
        reason_ = "app " + name + " cannot be executed";
        launched_.app.kill(SIGKILL);
        launched_.app.wait();
        status_ = {.code = exec_failed};
    }
    record(status_);
    return status_;
}

// An error of the process that was to become the app, or the end of the channel: the app has been executed.
void Supervisor::on_channel()
{
    said_.reset();
    if (const auto error = launched_.channel.error_if_any()) {
        log::error(*error);
        reason_ = error->innermost();
        return;
    }
    trace::mark("app executed");
    result_.started_ns = now_ns();
    if (stopping_)
        return;
    try_to_record([&] { record_ready(pod_.dir.get()); });
    notify_.ready("1 app is running");
}

void Supervisor::on_signal(int signal)
{
    if (signal == SIGTERM && stopping_)
        return kill_all();
    launched_.app.kill(signal);
    if (signal != SIGTERM)
        return;
    stopping_ = true;
    reason_ = "stopped";
    notify_.stopping(reason_);
    deadline_ = loop_.after(stop_timeout_usec, [this](std::uint32_t) { kill_all(); });
}

void Supervisor::kill_all()
{
    reason_ = "killed";
    cgroup::kill(group_);
    launched_.app.kill(SIGKILL); // it may have left its cgroup
}

void Supervisor::on_ended()
{
    trace::mark("app ended");
    if (said_)
        on_channel();
    status_ = launched_.app.wait();
    result_.finished_ns = now_ns();
    result_.oom = was_out_of_memory(group_);
    if (result_.oom)
        log::print("app {} was killed: out of memory", text::quoted(launched_.spec.name));
    cgroup::kill(group_); // what it left behind
    if (terminal_)
        terminal_->finish();
    run_post_stop();
    loop_.stop();
}

// As the app, in what were its namespaces; its failure changes nothing but what is said (APP-11).
void Supervisor::run_post_stop()
{
    if (!launched_.spec.post_stop || result_.started_ns == 0)
        return;
    const auto program = program_of(launched_.spec, *launched_.spec.post_stop);
    auto handler = clone_into(0, -1);
    if (!handler) {
        try {
            // Not born there: kernels kill at once what is cloned into a group that was killed before (6.18 does).
            cgroup::move(group_, 0);
            for (const auto& joined : launched_.namespaces)
                sys::check([&] { return ::setns(joined.get(), 0); }, "joining the app's namespaces");
            sys::check([&] { return ::fchdir(launched_.root.get()); }, "going to the app's root");
            sys::check([] { return ::chroot("."); }, "entering the app's root");
            sys::check([] { return ::setsid(); }, "starting a session");
            ::umask(022);
            reset_signals();
            execute(program);
        } catch (const Error& error) {
            log::error(error, "post-stop handler");
        }
        ::_exit(set_up_failed);
    }
    if (!handler.wait_for(post_stop_milliseconds))
        log::print("warning: the post-stop handler takes too long, it is killed");
    cgroup::kill(group_);
}

void Supervisor::record(const ExitStatus& status)
{
    (status.signal != 0 ? result_.signal : result_.code) = status.signal != 0 ? status.signal : status.code;
    const auto reason = reason_.empty() ? std::string{"the app ended"} : reason_;
    try_to_record([&] { record_result(pod_.dir.get(), launched_.spec.name, result_); });
    if (!cgroup::remove(group_, dying_milliseconds))
        log::print("warning: processes of the pod are still dying in cgroup {}", text::quoted(group_));
    try_to_record([&] { record_exit(pod_.dir.get(), status.shell_status(), reason); });
}

} // namespace rocket::stage1::fly
