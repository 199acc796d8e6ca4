// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/store/catalog.hh"

namespace rocket::cli
{

namespace
{

void verify(const Context& context, store::Store& store, Progress& progress, const std::string& image)
{
    const auto id = find_to_read(context, store, image);
    const auto verdict = in_context(text::quoted(image), [&] { return store.verify(id); });
    progress.clear();
    if (!verdict.was_rendered)
        context.out("image {} not rendered; no verification needed\n", text::quoted(image));
    else if (!verdict.tree_damage.empty())
        context.out("tree cache verification failed for image {}: {};  rebuilding...\n", text::printable(image),
                    text::printable(verdict.tree_damage));
    else
        context.out("successfully verified checksum for image: {} ({}){}\n", text::quoted(image),
                    text::quoted(id.key()), verdict.lacks_set_ids ? "; its tree has no set-id bits" : "");
}

int run(Invocation& invocation)
{
    if (invocation.args.empty())
        throw UsageRequested{};
    Progress progress;
    auto store = open_store(invocation.context, progress);
    in_context("error preparing the image store", [&] {
        store.tidy();
        store::rebuild_index(store.layout());
    });
    for (const auto& image : invocation.args)
        verify(invocation.context, store, progress, image);
    return 0;
}

} // namespace

Command image_verify_command()
{
    return command({.path = {"image", "verify"},
                    .arguments = "IMAGE...",
                    .purpose = "verify the rendered tree and the archive of image(s) in the local store",
                    .description = "Reads everything again and compares it with the digests taken when the image was "
                                   "fetched. A damaged\ntree is rendered anew; the index of images is rebuilt.",
                    .needs_root = true},
                   run);
}

} // namespace rocket::cli
