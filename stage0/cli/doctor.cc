// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "stage0/cli/commands.hh"
#include "stage0/cli/findings.hh"
#include "stage0/cli/pod_json.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

struct Options {
    std::string format;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("format", options.format, "format the output as 'json' or 'json-pretty'; the default is text");
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    const auto& context = invocation.context;
    const auto format = parse_format(options.format);
    const auto places = places_of(context);
    json::Array all;
    auto worst = doctor::State::fine;
    for (const auto& check : doctor::checks()) {
        const auto finding = doctor::look(check, places);
        worst = std::max(worst, finding.state);
        all.push_back(to_json(check, finding));
        if (format == Format::table)
            print(context, check, finding);
    }
    if (format != Format::table)
        print_json(context, json::Value{std::move(all)}, format);
    return worst == doctor::State::broken ? 1 : 0;
}

} // namespace

Command doctor_command()
{
    return command<Options>(
        {.path = {"doctor"},
         .arguments = "",
         .purpose = "look at what this host has and lacks for running pods",
         .description = "Says for everything that Rocket needs of a host whether it is there (fine), whether pods run "
                        "with less\n(lacking), or not at all (broken), and what to do. Changes nothing. The status is "
                        "1 if something is broken."},
        declare, run);
}

} // namespace rocket::cli
