// SPDX-License-Identifier: Apache-2.0
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/output_directory.hh"
#include "stage0/store/copy_tree.hh"

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
    flags.add("rootfs-only", options.rootfs_only, "render rootfs only");
}

// The tree as it would be used, after everything about it was checked again.
store::LayerStack checked_tree(store::Store& store, Progress& progress, const model::ImageId& id)
{
    if (store.is_rendered(id) && !store.verify(id).tree_damage.empty()) {
        progress.clear();
        log::print("warning: tree cache is in a bad state. Rebuilt it");
    }
    return store::LayerStack::open(store.render(id));
}

int run(Invocation& invocation, const Options& options)
{
    if (invocation.args.size() != 2)
        throw UsageRequested{};
    OutputDirectory output{invocation.args[1], options.overwrite};
    Progress progress;
    auto store = open_store(invocation.context, progress);
    const auto id = find_to_read(invocation.context, store, invocation.args[0]);
    in_context("error rendering image", [&] {
        const auto tree = checked_tree(store, progress, id);
        const auto tick = [&] { store.options().tick(0, 0); };
        if (options.rootfs_only) {
            store::copy_tree(tree.root(), output.parent(), output.temporary(), tick);
        } else {
            const auto directory = output.make();
            file::write_new(directory.get(), "manifest", store.manifest_bytes(id));
            store::copy_tree(tree.root(), directory.get(), "rootfs", tick);
        }
        output.publish();
    });
    progress.clear();
    return 0;
}

} // namespace

Command image_render_command()
{
    return command<Options>({.path = {"image", "render"},
                             .arguments = "IMAGE OUTPUT_DIR",
                             .purpose = "render a stored image to a directory, with all its dependencies",
                             .description = "Writes the image's manifest, and rootfs/ as an app would see it.",
                             .needs_root = true},
                            declare, run);
}

} // namespace rocket::cli
