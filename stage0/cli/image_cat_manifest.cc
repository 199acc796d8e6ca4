// SPDX-License-Identifier: Apache-2.0
#include "common/model/json.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"

namespace rocket::cli
{

namespace
{

namespace json = model::json;

struct Options {
    bool pretty_print = true;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("pretty-print", options.pretty_print, "apply indent to format the output");
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 1)
        throw UsageRequested{};
    Progress progress;
    const auto store = open_store(invocation.context, progress);
    const auto id = find_to_read(invocation.context, store, invocation.args.front());
    const auto manifest = in_context("cannot read the image manifest",
                                     [&] { return json::parse(store.manifest_bytes(id), "image manifest"); });
    invocation.context.out("{}\n",
                           json::write(manifest, options.pretty_print ? json::Style::tabs : json::Style::compact));
    return 0;
}

} // namespace

Command image_cat_manifest_command()
{
    return command<Options>({.path = {"image", "cat-manifest"},
                             .arguments = "IMAGE",
                             .purpose = "inspect and print the image manifest",
                             .description = "IMAGE is an image id, a prefix of one, or a name."},
                            declare, run);
}

} // namespace rocket::cli
