// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "common/sys/log.hh"
#include "common/sys/text.hh"
#include "stage0/cli/commands.hh"
#include "stage0/cli/images.hh"
#include "stage0/cli/make_pod.hh"
#include "stage0/cli/running_pod.hh"
#include "stage0/notify.hh"
#include "stage0/pod/mutable_pod.hh"
#include "stage0/pod/reify.hh"
#include "stage0/pod/volume_links.hh"

namespace rocket::cli
{

namespace
{

struct Options {
    AppArgs app_args;
    PodFlags pod; // pull policy and links only
};

// name=NAME,kind=...,target=PATH[,...]: a volume of the app's own, and its mount (cli 7.2). Literal: no escapes (Q16).
model::Mount parse_mnt_volume(const std::string& text)
{
    std::string name, target, rest;
    for (const auto& part : text::split(text, ',')) {
        constexpr std::string_view name_key = "name=", target_key = "target=";
        if (part.starts_with(name_key))
            name = part.substr(name_key.size());
        else if (part.starts_with(target_key))
            target = part.substr(target_key.size());
        else
            rest += "," + part;
    }
    if (target.empty())
        fail(Error::Kind::usage, "missing target= parameter");
    auto volume = model::Volume::parse(name + rest);
    auto mount = model::Mount::parse(fmt::format("volume={},target={}", volume.name.str(), target));
    mount.app_volume = std::move(volume);
    return mount;
}

void declare(Options& options, FlagSet& flags)
{
    options.app_args.declare(flags);
    flags.add_custom({"mnt-volume",
                      "volume of the app, and where it is mounted: name=NAME,kind=host,source=PATH,target=PATH[,...]",
                      Flag::Value::required, "[]", "", [&options](const std::string& value) {
                          if (options.app_args.apps.empty())
                              fail(Error::Kind::usage, "--mnt-volume must follow an image");
                          options.app_args.apps.back().mounts.push_back(parse_mnt_volume(value));
                      }});
    options.pod.declare_pull_policy(flags);
    options.pod.declare_volume_links(flags);
}

int run(Invocation& invocation, Options& options)
{
    if (invocation.args.empty())
        fail(Error::Kind::usage, "must provide the pod UUID and an IMAGEID");
    const auto uuid = invocation.args.front();
    invocation.args.erase(invocation.args.begin());
    options.app_args.parse(invocation);
    if (options.app_args.apps.empty())
        fail(Error::Kind::usage, "must provide the pod UUID and an IMAGEID");
    if (options.app_args.apps.size() > 1)
        fail(Error::Kind::usage, "must give only one app");
    const auto& wanted = options.app_args.apps.front();
    const model::Layout layout{invocation.context.data_dir()};
    const auto pod = find_running_pod(layout, uuid);
    const auto policy = pull_policy(options.pod);

    const auto lock = prepare_lock(layout);
    ImageSource source{invocation.context};
    const auto image = in_context(name_in_messages(wanted.image), [&] {
        return source.acquire_for_other_pod({wanted.image, wanted.signature, policy});
    });
    in_context("error adding app to pod", [&] {
        pod::MutablePod changing{pod, notify::tick};
        auto reified = pod::reify_added(changing.manifest(), wanted, image, ::getuid(), ::getgid());
        for (const auto& warning : reified.warnings)
            log::print(warning);
        if (options.pod.follow_volume_links)
            pod::follow_volume_links(reified.manifest, ::getuid());
        pod::describe_seeds(reified.manifest, image, reified.seeds);
        const auto origins = pod::origins_of_added(wanted, image, reified.manifest);
        changing.add(std::move(reified.manifest), image, reified.seeds, origins);
    });
    return 0;
}

} // namespace

Command app_add_command()
{
    return command<Options>(
        {.path = {"app", "add"},
         .arguments = "UUID IMAGE [IMAGE-FLAG...] [-- ARG...]",
         .purpose = "add an app to a running pod that `app sandbox` has made",
         .description = "The image is found or fetched as `run` does it, and the app gets all that an app of `run` "
                        "gets. It is not\nstarted: `rocket app start` does that. Arguments replace those of the image.",
         .interspersed = false,
         .needs_root = true},
        declare, run);
}

} // namespace rocket::cli
