// SPDX-License-Identifier: Apache-2.0
#include "common/model/quantity.hh"
#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/values.hh"
#include "stage0/store/collect.hh"
#include "stage0/update/deployment.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    std::optional<Duration> grace_period;
    std::string max_size;
};

void declare(Options& options, FlagSet& flags)
{
    flags.add_custom({"grace-period", "duration to wait since an image was last used before removing it",
                      Flag::Value::required, "24h0m0s", "",
                      [&options](const std::string& value) { options.grace_period = parse_duration(value); }});
    flags.add("max-size", options.max_size,
              "also remove the least recently used images until all take no more than this, as in 20G");
}

// Flags win over the configuration.
store::CollectOptions policy_of(const Options& options, const config::Images& configured)
{
    store::CollectOptions policy{.largest_store = configured.largest_store};
    if (configured.grace_seconds)
        policy.grace_period = std::chrono::seconds{*configured.grace_seconds};
    if (options.grace_period)
        policy.grace_period = *options.grace_period;
    if (policy.grace_period < Duration::zero())
        fail(Error::Kind::usage, "the grace period cannot be negative");
    if (!options.max_size.empty())
        policy.largest_store = static_cast<std::uint64_t>(model::Quantity::parse(options.max_size).ceil_units());
    for (const auto& name : configured.kept_by_name.value_or(std::vector<std::string>{}))
        policy.kept.push_back(model::ImageName::parse(name));
    return policy;
}

int run(Invocation& invocation, const Options& options)
{
    if (!invocation.args.empty())
        throw UsageRequested{};
    auto policy = policy_of(options, invocation.context.config().images);
    policy.kept_ids = update::images_in_use(model::Layout{invocation.context.data_dir()});
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
