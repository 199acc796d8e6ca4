// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/commands.hh"
#include "stage0/cli/pod_json.hh"
#include "stage0/cli/table.hh"
#include "stage0/cli/values.hh"
#include "stage0/update/deployment.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

constexpr std::size_t short_digits = 12;

struct Options {
    std::string format;
    bool no_legend = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is a table");
    flags.add("no-legend", options.no_legend, "suppress a legend with the list");
}

std::string ids(const update::Images& images)
{
    std::vector<std::string> texts;
    for (const auto& [reference, id] : images)
        texts.push_back(id.shortened(short_digits));
    return texts.empty() ? "--" : fmt::format("{}", fmt::join(texts, ","));
}

json::Value to_json(const update::Images& images)
{
    std::map<std::string, std::string> texts;
    for (const auto& [reference, id] : images)
        texts.emplace(reference, id.key());
    return json::to_json(texts);
}

json::Value to_json(const std::string& unit, const update::Deployment& deployment)
{
    json::Array changes;
    for (const auto& change : deployment.history)
        changes.push_back(json::ObjectWriter{}
                              .set("time", change.time_ns)
                              .set("before", to_json(change.before))
                              .set("after", to_json(change.after))
                              .set("outcome", update::name_of(change.outcome))
                              .set_text("reason", change.reason)
                              .done());
    return json::ObjectWriter{}
        .set("unit", unit)
        .set("held_at", to_json(deployment.pins))
        .set("changes", std::move(changes))
        .done();
}

int run(Invocation& invocation, const Options& options)
{
    const auto format = parse_format(options.format);
    const model::Layout data{invocation.context.data_dir()};
    std::vector<std::string> units;
    for (const auto& unit : invocation.args)
        units.push_back(update::unit_name(unit));
    if (units.empty())
        units = update::all_units(data);

    std::vector<Row> rows;
    if (!options.no_legend)
        rows.push_back({"UNIT", "WHEN", "BEFORE", "AFTER", "OUTCOME", "REASON"});
    json::Array all;
    for (const auto& unit : units) {
        const auto deployment = update::load(data, unit);
        all.push_back(to_json(unit, deployment));
        for (const auto& change : deployment.history)
            rows.push_back({unit, relative_time(Time{std::chrono::nanoseconds{change.time_ns}}, now()),
                            ids(change.before), ids(change.after), std::string{name_of(change.outcome)},
                            change.reason});
    }
    if (format == Format::table)
        invocation.context.out("{}", cli::layout(rows));
    else
        print_json(invocation.context, json::Value{std::move(all)}, format);
    return 0;
}

} // namespace

Command history_command()
{
    return command<Options>({.path = {"history"},
                             .arguments = "[UNIT...]",
                             .purpose = "show how services were updated",
                             .description = "Lists what `rocket update` and `rocket rollback` did, the last of each "
                                            "service at its end."},
                            declare, run);
}

} // namespace rocket::cli
