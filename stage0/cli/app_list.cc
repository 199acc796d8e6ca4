// SPDX-License-Identifier: Apache-2.0
// rocket app list and status: what there is to say about the apps of one pod. Errors exit with 1 (cli 8.17).
#include <algorithm>
#include <ctime>

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/cli/table.hh"
#include "stage0/cli/values.hh"
#include "stage0/pod/pod_info.hh"

namespace rocket::cli
{

namespace
{

constexpr int query_failure = 1;

struct Options {
    std::string app;
    std::string format;
    bool no_legend = false;
};

template <typename Act>
int reporting(Act act)
{
    try {
        act();
        return 0;
    } catch (const CommandError& error) {
        log::error(error, error.context);
    } catch (const Error& error) {
        log::error(error);
    }
    return query_failure;
}

pod::PodInfo info_of(const Invocation& invocation)
{
    if (invocation.args.size() != 1)
        fail(Error::Kind::usage, "must provide the pod UUID");
    const auto pod = pod::find(model::Layout{invocation.context.data_dir()}, invocation.args.front());
    return pod::read_info(pod, pod::Detail::full);
}

// What `app status` says of each.
model::json::Value list_json(const pod::PodInfo& info, const model::Layout& layout)
{
    model::json::Array apps;
    for (const auto& app : info.apps)
        apps.push_back(to_json(info, app, layout));
    return apps;
}

int list(Invocation& invocation, const Options& options)
{
    return reporting([&] {
        const auto format = parse_format(options.format);
        const auto info = info_of(invocation);
        if (format != Format::table)
            return print_json(invocation.context, list_json(info, model::Layout{invocation.context.data_dir()}),
                              format);
        std::vector<Row> rows;
        if (!options.no_legend)
            rows.push_back({"NAME", "STATE"});
        const bool with_health = std::ranges::any_of(info.apps, [](const auto& app) { return app.health.has_value(); });
        if (with_health && !rows.empty())
            rows.back().emplace_back("HEALTH");
        for (const auto& app : info.apps) {
            rows.push_back({app.app.name.str(), app.state});
            if (with_health)
                rows.back().push_back(health_cell(app));
        }
        invocation.context.out("{}", layout(rows));
    });
}

std::string joined(const std::map<std::string, std::string>& map)
{
    std::vector<std::string> pairs;
    for (const auto& [key, value] : map)
        pairs.push_back(fmt::format("{}:{}", text::printable(key), text::printable(value)));
    return fmt::format("{}", fmt::join(pairs, ","));
}

// host:container:(read_only:BOOL), as the JSON has it.
std::string mounts_line(const model::json::Value& app)
{
    const auto* mounts = app.find("mounts");
    if (mounts == nullptr)
        return {};
    std::vector<std::string> lines;
    for (const auto& mount : model::json::Cursor{*mounts, "mounts"}.items()) {
        model::json::Fields fields{mount};
        const auto host = fields.text_or("host_path", ""), container = fields.text_or("container_path", "");
        lines.push_back(fmt::format("{}:{}:(read_only:{})", text::printable(host), text::printable(container),
                                    fields.boolean_or("read_only", false)));
    }
    return fmt::format("{}", fmt::join(lines, ","));
}

// 2006-01-02 15:04:05.123456789 -0700 MST
std::string precise_time(Time time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto clock = static_cast<std::time_t>(seconds.time_since_epoch().count());
    std::tm parts{};
    ::localtime_r(&clock, &parts);
    char date[64] = {}, zone[64] = {};
    std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &parts);
    std::strftime(zone, sizeof zone, "%z %Z", &parts);
    auto fraction = fmt::format(".{:09}", (time - seconds).count());
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return fmt::format("{}{} {}", date, fraction == "." ? "" : fraction, zone);
}

// Absent ones are left out; each is one line (Q18).
void print_lines(const Context& context, const pod::PodInfo& info, const pod::AppInfo& app,
                 const model::json::Value& json)
{
    const auto line = [&](const char* key, const std::string& value) {
        if (!value.empty())
            context.out("{}={}\n", key, value);
    };
    const auto time = [](const std::optional<Time>& when) { return when ? precise_time(*when) : std::string{}; };
    line("name", app.app.name.str());
    line("state", app.state);
    line("image_id", app.app.image.id ? app.app.image.id->str() : std::string{});
    line("created_at", time(app.created ? app.created : info.created));
    line("started_at", time(app.result.started || info.is_mutable ? app.result.started : info.started));
    line("finished_at", time(app.result.finished));
    if (const auto status = app.result.status())
        line("exit_code", fmt::to_string(*status));
    line("health", health_cell(app));
    line("mounts", mounts_line(json));
    if (app.app.app) {
        line("user_annotations", joined(app.app.app->user_annotations));
        line("user_labels", joined(app.app.app->user_labels));
    }
}

int status(Invocation& invocation, const Options& options)
{
    return reporting([&] {
        const auto format = parse_format(options.format);
        const auto info = info_of(invocation);
        if (options.app.empty())
            fail(Error::Kind::usage, "must provide the app");
        const auto app =
            std::ranges::find_if(info.apps, [&](const auto& one) { return one.app.name.str() == options.app; });
        if (app == info.apps.end())
            fail(Error::Kind::usage, "error: nonexistent app {}", text::quoted(options.app));
        const auto json = to_json(info, *app, model::Layout{invocation.context.data_dir()});
        if (format == Format::table)
            print_lines(invocation.context, info, *app, json);
        else
            print_json(invocation.context, json, format);
    });
}

} // namespace

Command app_list_command()
{
    return command<Options>(
        {.path = {"app", "list"},
         .arguments = "UUID",
         .purpose = "list the apps of a pod",
         .description = "Lists the apps of a pod and their states: created, running, exited or unknown."},
        [](Options& options, FlagSet& flags) {
            flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is a table");
            flags.add("no-legend", options.no_legend, "suppress a legend with the list");
        },
        list);
}

Command app_status_command()
{
    return command<Options>(
        {.path = {"app", "status"},
         .arguments = "--app=NAME UUID",
         .purpose = "check the status of an app of a pod",
         .description = "Prints what is known of an app: its state, its image, when it was added and started, and how "
                        "it ended."},
        [](Options& options, FlagSet& flags) {
            flags.add("app", options.app, "name of the app");
            flags.add("format", options.format,
                      "format the output as 'json' or 'json-pretty'; the default is key=value lines");
        },
        status);
}

} // namespace rocket::cli
