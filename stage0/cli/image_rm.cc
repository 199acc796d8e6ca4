// SPDX-License-Identifier: Apache-2.0
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"

namespace rocket::cli
{

namespace
{

int run(Invocation& invocation)
{
    if (invocation.args.empty())
        fail(Error::Kind::usage, "must provide at least one image ID");
    Progress progress;
    auto store = open_store(invocation.context, progress);
    std::size_t removed = 0;
    std::size_t failed = 0;
    for (const auto& image : invocation.args) {
        try {
            const auto id = image::find_in_store(store, image);
            if (!store.remove(id))
                fail(Error::Kind::not_found, "another process has removed it");
            invocation.context.out("successfully removed aci for image: {}\n", text::quoted(id.key()));
            removed += 1;
        } catch (const Error& error) {
            log::error(error, text::quoted(image));
            failed += 1;
        }
    }
    if (removed > 0)
        log::print("{} image(s) successfully removed", removed);
    if (failed > 0)
        log::print("{} image(s) cannot be removed", failed);
    return failed > 0 ? exit_failure : 0; // also for one that is not there: scripts miss typing errors otherwise (Q7)
}

} // namespace

Command image_rm_command()
{
    return command({.path = {"image", "rm"},
                    .arguments = "IMAGE...",
                    .purpose = "remove image(s) with the given ID(s) or name(s) from the local store",
                    .description =
                        "An image is named by its id or the beginning of it, its name, or the URL or reference that it "
                        "was\nfetched by. One that a pod still uses stays; remove the pod first."},
                   run);
}

} // namespace rocket::cli
