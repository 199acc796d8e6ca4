// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/cli/table.hh"
#include "stage0/cli/values.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool full = false;
    bool no_legend = false;
    std::string format;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("full", options.full, "use long output format");
    flags.add("no-legend", options.no_legend, "suppress a legend with the list");
    flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is a table");
}

struct Listing {
    std::vector<pod::PodInfo> pods;
    std::vector<std::string> errors;
};

// One pod at a time, so that a thousand of them need no thousand descriptors. A pod that vanishes meanwhile is none.
Listing read_pods(const model::Layout& layout, pod::Detail detail, bool whole_tree)
{
    Listing listing;
    for (const auto& place : pod::walk(layout, pod::visible_stages())) {
        try {
            auto open = pod::Pod::open(layout, place.stage, place.id);
            if (!open)
                open = pod::Pod::open(layout, place.id);
            if (open)
                listing.pods.push_back(pod::read_info(*open, detail));
        } catch (const Error& error) {
            listing.errors.push_back(
                log::describe(error, fmt::format("pod {}", text::quoted(place.id.str())), whole_tree));
        }
    }
    return listing;
}

void report(const std::vector<std::string>& errors)
{
    if (errors.empty())
        return;
    const std::string line(40, '-');
    log::print("{} error(s) encountered when listing pods:", errors.size());
    log::print(line);
    for (const auto& error : errors) {
        log::print(error);
        log::print(line);
    }
    log::print("misc:");
    log::print("  rocket's appc version: {}", model::AcVersion::ours().str());
    log::print("");
}

std::string time_cell(const std::optional<Time>& time, bool full, Time current)
{
    if (!time)
        return {};
    return full ? long_time(*time) : relative_time(*time, current);
}

bool is_checked(const pod::PodInfo& pod)
{
    return std::ranges::any_of(pod.apps, [](const auto& app) { return app.health.has_value(); });
}

Row row_of(const pod::PodInfo& pod, const pod::AppInfo* app, bool first, bool full, Time current)
{
    const auto id = first ? full ? pod.id.str() : pod.id.str().substr(0, 8) : std::string{};
    Row row{id, app ? app->app.name.str() : "-", app ? pod::image_name(app->app.image) : "-"};
    if (full)
        row.push_back(app && app->app.image.id ? app->app.image.id->shortened(12) : "-");
    row.emplace_back(first ? name_of(pod.state) : "");
    row.push_back(first ? time_cell(pod.created, full, current) : "");
    row.push_back(first ? time_cell(pod.started, full, current) : "");
    row.push_back(first ? pod::network_addresses(pod) : "");
    return row;
}

void print_table(const Context& context, const Listing& listing, const Options& options)
{
    std::vector<Row> rows;
    if (!options.no_legend) {
        rows.push_back({"UUID", "APP", "IMAGE NAME", "STATE", "CREATED", "STARTED", "NETWORKS"});
        if (options.full)
            rows.back().insert(rows.back().begin() + 3, "IMAGE ID");
    }
    // A column of its own, and only where there is something in it: scripts know the others by their numbers.
    const bool with_health = std::ranges::any_of(listing.pods, is_checked);
    if (with_health && !rows.empty())
        rows.back().emplace_back("HEALTH");
    const auto current = now();
    for (const auto& pod : listing.pods) {
        if (pod.apps.empty())
            rows.push_back(row_of(pod, nullptr, true, options.full, current));
        for (const auto& app : pod.apps) {
            rows.push_back(row_of(pod, &app, &app == &pod.apps.front(), options.full, current));
            if (with_health)
                rows.back().push_back(health_cell(app));
        }
    }
    context.out("{}", layout(rows));
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    const auto& context = invocation.context;
    const auto format = parse_format(options.format);
    const model::Layout layout{context.data_dir()};
    const auto listing =
        read_pods(layout, format == Format::table ? pod::Detail::summary : pod::Detail::full, context.global.debug);
    if (format == Format::table) {
        print_table(context, listing, options);
    } else {
        model::json::Array pods;
        for (const auto& info : listing.pods)
            pods.push_back(to_json(info, layout));
        print_json(context, pods.empty() ? model::json::Value{} : model::json::Value{std::move(pods)}, format);
    }
    report(listing.errors);
    return listing.errors.empty() ? 0 : exit_failure; // rkt: 0, although something is missing (Q7)
}

} // namespace

Command list_command()
{
    return command<Options>({.path = {"list"},
                             .arguments = "",
                             .purpose = "list pods",
                             .description = "Lists pods: one line per app, with the pod's state on the first."},
                            declare, run);
}

} // namespace rocket::cli
