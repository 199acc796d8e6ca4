// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/run_line.hh"

#include "common/sys/text.hh"
#include "stage0/cli/pod_flags.hh"
#include "stage0/cli/start_flags.hh"

namespace rocket::cli
{

std::vector<image::Request> images_of_run_line(CommandTable table, const Words& argv, Context& context)
{
    const auto program = argv.empty() ? std::string{} : argv[0].substr(argv[0].rfind('/') + 1);
    if (program != "rocket" && program != "rkt")
        fail(Error::Kind::usage, "it starts {}, and only services that start `rocket run` themselves can be updated",
             text::quoted(program));
    FlagSet global;
    context.declare_flags(global);
    const auto line = split(table, {argv.begin() + 1, argv.end()}, global);
    const auto* command = find_command(table, line.path);
    if (command == nullptr || command->name() != "run")
        fail(Error::Kind::usage, "it does not start `rocket run`");

    PodFlags pod;
    StartFlags start;
    FlagSet own;
    pod.declare(own);
    start.declare(own);
    const FlagParser parser{{&own, &global}, [](const std::string&) {}};
    const Invocation run{context, table, *command, parser, parser.parse(line.rest, command->interspersed)};
    pod.app_args.parse(run);
    if (!pod.pod_manifest.empty())
        fail(Error::Kind::usage, "its pod manifest names images by their ids, which do not change");

    std::vector<image::Request> images;
    for (const auto& app : pod.app_args.apps) {
        if (app.image.find('$') != std::string::npos)
            fail(Error::Kind::usage, "its image {} depends on the environment of the service", text::quoted(app.image));
        images.push_back({app.image, app.signature, pull_policy(pod)});
    }
    return images;
}

} // namespace rocket::cli
