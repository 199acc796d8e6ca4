// SPDX-License-Identifier: Apache-2.0
#include "common/sys/sys.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/new_file.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool overwrite = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("overwrite", options.overwrite, "overwrite output ACI");
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 2)
        throw UsageRequested{};
    const auto& path = invocation.args[1];
    if (!path.ends_with(".aci"))
        throw Error{Error::Kind::usage, fmt::format("{} does not end in .aci", text::quoted(path)),
                    "images have that suffix, whatever their compression"};
    if (!options.overwrite && sys::stat_if_exists(AT_FDCWD, path))
        fail(Error::Kind::usage, "output ACI file exists (try --overwrite)");
    Progress progress;
    const auto store = open_store(invocation.context, progress);
    const auto id = find_to_read(invocation.context, store, invocation.args[0]);
    in_context("error exporting image", [&] {
        write_new_file(path, options.overwrite, "output ACI file exists (try --overwrite)",
                       [&](int file) { store.write_image(id, file); });
    });
    return 0;
}

} // namespace

Command image_export_command()
{
    return command<Options>({.path = {"image", "export"},
                             .arguments = "IMAGE OUTPUT.aci",
                             .purpose = "export a stored image to an ACI file",
                             .description = "Writes the uncompressed image; its digest is checked on the way."},
                            declare, run);
}

} // namespace rocket::cli
