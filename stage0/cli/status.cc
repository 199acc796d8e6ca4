// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/cli/uuid_args.hh"
#include "stage0/cli/values.hh"
#include "stage0/pod/wait.hh"

namespace rocket::cli
{

namespace
{

using pod::Pod;
using pod::State;

struct Options {
    Duration wait{};       // negative: for ever
    Duration wait_ready{}; // zero: not at all
    std::string format;
    std::string uuid_file;
};

// A bool, or a duration; empty means true (cli 8.7).
void add_wait(FlagSet& flags, const char* name, Duration& field, const char* help)
{
    flags.add_custom({name, help, Flag::Value::optional, "false", "true", [&field](const std::string& value) {
                          const auto truth = value.empty() ? true : text::parse_bool(value);
                          field = !truth ? parse_duration(value) : *truth ? Duration{-1} : Duration{0};
                      }});
}

void declare(Options& options, FlagSet& flags)
{
    add_wait(flags, "wait", options.wait, "wait for the pod to exit: true, false, or at most so long");
    add_wait(flags, "wait-ready", options.wait_ready, "wait until the pod is ready: true, false, or at most so long");
    flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is key=value lines");
    declare_uuid_file(flags, options.uuid_file);
}

bool wait(Pod& pod, Duration limit, const char* what, const std::function<bool(const Pod&)>& done)
{
    if (limit == Duration{0})
        return true;
    const auto deadline = limit < Duration{0} ? pod::Deadline{} : std::chrono::steady_clock::now() + limit;
    if (pod::wait_until(pod, done, deadline))
        return true;
    log::print("error waiting for pod {}: context deadline exceeded", what);
    return false;
}

void print_lines(const Context& context, const pod::PodInfo& info)
{
    const auto state = info.state;
    context.out("state={}\n", name_of(state));
    if (info.created)
        context.out("created={}\n", long_time(*info.created));
    if (info.started)
        context.out("started={}\n", long_time(*info.started));
    if (state == State::running || state == State::exited)
        context.out("networks={}\n", pod::network_addresses(info));
    if (state != State::running && !has_ended(state))
        return;
    if (info.pid)
        context.out("pid={}\n", *info.pid);
    context.out("exited={}\n", state == State::exited || state == State::exited_garbage);
    auto apps = info.apps; // by name, whatever the order in the pod (Q19)
    std::ranges::sort(apps, {}, [](const auto& app) { return app.app.name; });
    for (const auto& app : apps)
        if (const auto status = app.result.status(); status && (state != State::running || info.is_mutable))
            context.out("app-{}={}\n", app.app.name.str(), *status);
    for (const auto& app : apps)
        if (app.health)
            context.out("health-{}={}\n", app.app.name.str(), health_cell(app));
    for (const auto& app : apps)
        for (const auto& report : app.reports) // ISO-5
            context.out("report-{}={}\n", app.app.name.str(), text::printable(report));
}

int run(Invocation& invocation, const Options& options)
{
    const auto& context = invocation.context;
    const auto format = parse_format(options.format);
    std::vector<std::string> uuids;
    try {
        uuids = uuids_of(invocation, options.uuid_file);
    } catch (const CommandError& error) {
        log::error(error, error.context);
        return 1; // documented for status and stop (cli 1.4)
    }
    if (uuids.size() != 1)
        throw UsageRequested{};
    const model::Layout layout{context.data_dir()};
    auto pod = pod::find(layout, uuids.front());
    const auto ready = [](const Pod& p) { return pod::is_ready(p) || is_finished(p.state()); };
    const auto finished = [](const Pod& p) { return is_finished(p.state()); };
    if (!wait(pod, options.wait_ready, "readiness", ready) || !wait(pod, options.wait, "to finish", finished))
        return exit_failure;
    pod.refresh();
    const auto info = pod::read_info(pod, pod::Detail::full);
    if (format == Format::table)
        print_lines(context, info);
    else
        print_json(context, to_json(info, layout), format);
    return 0;
}

} // namespace

Command status_command()
{
    return command<Options>(
        {.path = {"status"},
         .arguments = "[--wait[=true|false|DURATION]] [--wait-ready[=true|false|DURATION]] --uuid-file=FILE | UUID",
         .purpose = "check the status of a pod",
         .description = "Prints what is known of a pod: its state, when it was made and started, its "
                        "pid, and how its apps\nended."},
        declare, run);
}

} // namespace rocket::cli
