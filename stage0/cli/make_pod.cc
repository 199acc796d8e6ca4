// SPDX-License-Identifier: Apache-2.0
#include "stage0/cli/make_pod.hh"

#include <unistd.h>

#include "common/model/mutability.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/text.hh"
#include "stage0/cli/choose_stage1.hh"
#include "stage0/cli/images.hh"
#include "stage0/notify.hh"
#include "stage0/pod/origins.hh"
#include "stage0/pod/overlay_support.hh"
#include "stage0/pod/reify.hh"
#include "stage0/pod/volume_links.hh"
#include "stage0/store/directories.hh"
#include "stage0/update/deployment.hh"

namespace rocket::cli
{

namespace
{

struct Planned {
    pod::Reified reified;
    std::vector<pod::Image> images;
    pod::Origins origins = {};
};

// What is held back in the service that we are (rocket rollback) is not asked for anew.
image::Request request_of(const pod::AppRequest& app, const PodFlags& flags, const update::Images& pins)
{
    const auto pin = pins.find(app.image);
    if (pin == pins.end())
        return {app.image, app.signature, pull_policy(flags)};
    log::print("this service is held at {} for {}", pin->second.key(), text::quoted(app.image));
    return {pin->second.key(), "", image::PullPolicy::never};
}

pod::Image acquire(ImageSource& source, const image::Request& request, pod::PodStage stage)
{
    return stage == pod::PodStage::run ? source.acquire_for_own_pod(request) : source.acquire_for_other_pod(request);
}

Planned plan_from_images(const PodFlags& flags, pod::PodStage stage, ImageSource& source, const update::Images& pins)
{
    std::vector<pod::Image> images;
    for (const auto& app : flags.app_args.apps) {
        const auto request = request_of(app, flags, pins);
        images.push_back(in_context(name_in_messages(app.image), [&] { return acquire(source, request, stage); }));
    }
    const auto wanted = request(flags);
    auto reified = pod::reify(wanted, images, ::getuid(), ::getgid());
    auto origins = pod::origins_of(wanted, images, reified.manifest);
    return {std::move(reified), std::move(images), std::move(origins)};
}

Planned plan_from_manifest(const std::string& path, pod::PodStage stage, ImageSource& source)
{
    auto manifest = model::PodManifest::parse(file::read(AT_FDCWD, path));
    std::vector<pod::Image> images;
    for (const auto& app : manifest.apps) {
        if (!app.image.id)
            fail(Error::Kind::usage, "no image ID for app {}", text::quoted(app.name.str()));
        images.push_back(with_context("error getting the image manifest from store", [&] {
            return acquire(source, {app.image.id->str(), "", image::PullPolicy::never}, stage);
        }));
    }
    auto reified = pod::reify(std::move(manifest), images);
    auto origins = pod::origins_of(reified.manifest, path);
    return {std::move(reified), std::move(images), std::move(origins)};
}

void save_uuid(const std::string& path, const pod::PodId& id)
{
    if (path.empty())
        return;
    in_context("error saving pod UUID to file", [&] {
        const auto fd = sys::open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, 0644);
        sys::write_all(fd.get(), id.str());
    });
}

bool use_overlay(const PodFlags& flags, const model::Layout& layout)
{
    if (flags.no_overlay)
        return false;
    const auto problem = pod::overlay_problem(layout.pods());
    if (problem)
        log::print("disabling overlay support: {}", text::quoted(*problem));
    return !problem;
}

Planned plan_sandbox(const SandboxRequest& request)
{
    Planned planned{};
    auto& manifest = planned.reified.manifest;
    manifest.ports = request.ports;
    manifest.annotations = request.annotations;
    manifest.user_annotations = request.user_annotations;
    manifest.user_labels = request.user_labels;
    model::set_mutable(manifest);
    model::check_reified(manifest);
    return planned;
}

Planned make_plan(const MakePod& what, ImageSource& source, const model::Layout& layout)
{
    if (what.sandbox != nullptr)
        return plan_sandbox(*what.sandbox);
    const auto pins = what.stage == pod::PodStage::run ? update::own_pins(layout) : update::Images{};
    return what.flags.pod_manifest.empty() ? plan_from_images(what.flags, what.stage, source, pins)
                                           : plan_from_manifest(what.flags.pod_manifest, what.stage, source);
}

// Now, not when the pod is there.
void check_entry_points(const pod::Stage1Image& stage1, bool is_mutable)
{
    pod::entry_point(stage1.manifest_text, stage1.rootfs, "run");
    if (is_mutable)
        for (const char* name : {"app/add", "app/rm", "app/start", "app/stop"})
            pod::entry_point(stage1.manifest_text, stage1.rootfs, name);
}

} // namespace

Lock prepare_lock(const model::Layout& layout)
{
    return Lock::take(sys::open(AT_FDCWD, layout.prepare_lock(), O_RDONLY | O_CREAT | O_NOFOLLOW, 0640),
                      Lock::Mode::shared);
}

pod::OwnedPod make_pod(const Context& context, const MakePod& what)
{
    const auto& flags = what.flags;
    const model::Layout layout{context.data_dir()};
    store::make_pod_directories(layout);
    const auto lock = prepare_lock(layout);

    ImageSource source{context};
    const auto chosen_stage1 = choose_stage1(flags.stage1, context, source);
    check_entry_points(chosen_stage1, what.sandbox != nullptr);
    auto plan = make_plan(what, source, layout);
    for (const auto& warning : plan.reified.warnings)
        log::print(warning);
    pod::describe_seeds(plan.reified.manifest, plan.images, plan.reified.seeds);
    if (flags.follow_volume_links)
        pod::follow_volume_links(plan.reified.manifest, ::getuid());
    const auto& manifest = plan.reified.manifest;
    if (manifest.apps.empty() && what.sandbox == nullptr)
        fail(Error::Kind::usage, "pod must contain at least one application");
    if (what.one_app_only && manifest.apps.size() > 1)
        fail(Error::Kind::usage, "interactive option only supports one image");
    if (what.check)
        what.check(manifest);

    const bool overlay = use_overlay(flags, layout);
    return in_context("error setting up stage0", [&] {
        pod::NewPod pod{layout, notify::tick};
        save_uuid(flags.uuid_file_save, pod.id());
        pod.fill({manifest, plan.images, chosen_stage1, overlay, flags.private_users, plan.reified.seeds,
                  pod::write(plan.origins)});
        return std::move(pod).publish(what.stage);
    });
}

} // namespace rocket::cli
