// SPDX-License-Identifier: Apache-2.0
#include "common/model/json.hh"
#include "common/sys/file.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/uuid_args.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

struct Options {
    bool pretty_print = true;
    std::string uuid_file;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("pretty-print", options.pretty_print, "apply indent to format the output");
    declare_uuid_file(flags, options.uuid_file);
}

int run(Invocation& invocation, const Options& options)
{
    const auto uuid = !options.uuid_file.empty()    ? read_uuid_file(options.uuid_file)
                      : invocation.args.size() == 1 ? invocation.args.front()
                                                    : throw UsageRequested{};
    const auto pod = pod::find(model::Layout{invocation.context.data_dir()}, uuid);
    const auto manifest = in_context("cannot read the pod manifest", [&] {
        return json::parse(file::read(pod.fd(), model::pod_dir::manifest), "pod manifest");
    });
    invocation.context.out("{}\n",
                           json::write(manifest, options.pretty_print ? json::Style::tabs : json::Style::compact));
    return 0;
}

} // namespace

Command cat_manifest_command()
{
    return command<Options>({.path = {"cat-manifest"},
                             .arguments = "--uuid-file=FILE | UUID",
                             .purpose = "inspect and print the pod manifest",
                             .description = "Prints the manifest as it is, or was, executed."},
                            declare, run);
}

} // namespace rocket::cli
