// SPDX-License-Identifier: Apache-2.0
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/output_directory.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    bool overwrite = false;
    bool rootfs_only = false;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("overwrite", options.overwrite, "overwrite output directory");
    flags.add("rootfs-only", options.rootfs_only, "extract rootfs only");
}

void extract(const store::Store& store, const model::ImageId& id, const OutputDirectory& output, bool rootfs_only)
{
    const auto directory = output.make();
    if (rootfs_only) {
        store.extract(id, directory.get());
        return;
    }
    sys::make_dir(directory.get(), "rootfs", 0700);
    const auto rootfs = sys::open(directory.get(), "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    file::write_new(directory.get(), "manifest", store.extract(id, rootfs.get()));
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 2)
        throw UsageRequested{};
    OutputDirectory output{invocation.args[1], options.overwrite};
    Progress progress;
    const auto store = open_store(invocation.context, progress);
    const auto id = find_to_read(invocation.context, store, invocation.args[0]);
    in_context("error extracting image", [&] {
        extract(store, id, output, options.rootfs_only);
        output.publish();
    });
    progress.clear();
    return 0;
}

} // namespace

Command image_extract_command()
{
    return command<Options>(
        {.path = {"image", "extract"},
         .arguments = "IMAGE OUTPUT_DIR",
         .purpose = "extract a stored image to a directory",
         .description = "Unpacks the image's own manifest and rootfs/, without what it depends on. Root gets "
                        "owners and modes\nas they are in the image; for others, all files become the caller's, "
                        "without set-id bits.",
         .interspersed = true},
        declare, run);
}

} // namespace rocket::cli
