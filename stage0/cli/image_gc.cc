// SPDX-License-Identifier: Apache-2.0
#include "common/model/quantity.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/store/collect.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    Duration grace_period = std::chrono::hours{24};
    std::string max_size;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add("grace-period", options.grace_period, "duration to wait since an image was last used before removing it");
    flags.add("max-size", options.max_size,
              "also remove the least recently used images until all take no more than this, as in 20G");
}

store::CollectOptions policy_of(const Options& options)
{
    if (options.grace_period < Duration::zero())
        fail(Error::Kind::usage, "the grace period cannot be negative");
    store::CollectOptions policy{.grace_period = options.grace_period};
    if (!options.max_size.empty())
        policy.largest_store = static_cast<std::uint64_t>(model::Quantity::parse(options.max_size).ceil_units());
    return policy;
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    const auto policy = policy_of(options);
    Progress progress;
    auto store = open_store(invocation.context, progress);
    std::size_t removed = 0;
    std::size_t failed = 0;
    const store::CollectReport report{.removed =
                                          [&](const model::ImageId& id, bool had_tree) {
                                              if (had_tree)
                                                  log::print("removed treestore {}", text::quoted(id.key()));
                                              invocation.context.out("successfully removed aci for image: {}\n",
                                                                     text::quoted(id.key()));
                                              removed += 1;
                                          },
                                      .problem =
                                          [&](const model::ImageId& id, const Error& error) {
                                              log::error(error, text::quoted(id.key()));
                                              failed += 1;
                                          }};
    in_context("error collecting images", [&] { store::collect_images(store, policy, report); });
    if (removed > 0)
        log::print("{} image(s) successfully removed", removed);
    if (failed > 0)
        log::print("{} image(s) cannot be removed", failed);
    return failed > 0 ? exit_failure : 0;
}

} // namespace

Command image_gc_command()
{
    return command<Options>(
        {.path = {"image", "gc"},
         .arguments = "",
         .purpose = "garbage collect the local store",
         .description = "Removes images that were not used for longer than the grace period, with their rendered "
                        "trees.\nWhat a pod uses stays, also one that has ended and is still there; as does what "
                        "an image that stays\ndepends on.",
         .needs_root = true},
        declare, run);
}

} // namespace rocket::cli
