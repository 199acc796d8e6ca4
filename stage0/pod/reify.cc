// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/reify.hh"

#include <algorithm>

#include "common/model/health_check.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::pod
{

namespace
{

using model::App;
using model::Mount;
using model::PodManifest;
using model::RuntimeApp;
using text::quoted;

void check_platform(const Image& image)
{
    for (const char* label : {"os", "arch"})
        if (!model::find(image.manifest.labels, label))
            fail(Error::Kind::usage, "missing {} label in the image manifest", label);
}

App base_app(const AppRequest& request, const Image& image, uid_t uid, gid_t gid)
{
    if (image.manifest.app)
        return *image.manifest.app;
    if (!request.exec)
        fail(Error::Kind::usage, "error: image {} has no app section and --exec argument is not provided",
             image.id.str());
    return {.exec = {*request.exec}, .user = std::to_string(uid), .group = std::to_string(gid)};
}

void add_missing(model::Environment& environment, const model::Environment& more)
{
    for (const auto& variable : more)
        if (!model::find(environment, variable.name))
            environment.push_back(variable);
}

void override_with(model::Environment& environment, const model::Environment& more)
{
    for (const auto& variable : more)
        model::set(environment, variable.name, variable.value);
}

// Lowest first: caller's, image's, --set-env-file, --set-env, --environment (cli 7.4, Q22).
void set_environment(App& app, const PodRequest& pod, const AppRequest& request)
{
    override_with(app.environment, pod.file);
    override_with(app.environment, pod.set);
    override_with(app.environment, request.environment);
    add_missing(app.environment, pod.inherited);
}

void set_isolators(App& app, const AppRequest& request)
{
    for (const auto& isolator : request.appended_isolators)
        app.isolators.append(isolator);
    for (const auto& isolator : request.replacing_isolators)
        app.isolators.replace(isolator);
}

template <typename Field, typename Override>
void set_if_given(Field& field, const Override& given)
{
    if (given)
        field = *given;
}

// Arguments take the place of those that a Docker image has for its entrypoint (oci.md chapter 11).
void drop_default_arguments(App& app, const Image& image)
{
    const auto* command = model::find(image.manifest.annotations, "appc.io/docker/cmd");
    if (command == nullptr)
        return;
    const auto value = model::json::parse(*command, "appc.io/docker/cmd");
    const auto count = model::json::Cursor{value, "appc.io/docker/cmd"}.items().size();
    if (count <= app.exec.size())
        app.exec.resize(app.exec.size() - count);
}

App effective_app(const PodRequest& pod, const AppRequest& request, const Image& image, uid_t uid, gid_t gid)
{
    auto app = base_app(request, image, uid, gid);
    if (request.exec)
        app.exec = {*request.exec};
    else if (!request.arguments.empty())
        drop_default_arguments(app, image);
    app.exec.insert(app.exec.end(), request.arguments.begin(), request.arguments.end());
    if (app.exec.empty())
        throw Error{Error::Kind::usage,
                    fmt::format("image {} says nothing to execute", quoted(image.manifest.name.str())),
                    "name an executable in the image with --exec"};
    set_if_given(app.user, request.user);
    set_if_given(app.group, request.group);
    set_if_given(app.working_directory, request.working_directory);
    if (!request.supplementary_gids.empty())
        app.supplementary_gids = request.supplementary_gids;
    if (!request.user_annotations.empty())
        app.user_annotations = request.user_annotations;
    if (!request.user_labels.empty())
        app.user_labels = request.user_labels;
    set_environment(app, pod, request);
    set_isolators(app, request);
    return app;
}

bool has_mount_at(const RuntimeApp& app, const std::string& path)
{
    return std::ranges::any_of(app.mounts,
                               [&](const Mount& mount) { return clean_absolute(mount.path) == clean_absolute(path); });
}

// The app's own mounts, then those of all apps; of several at one path the first counts (cli 7.2).
void add_mounts(RuntimeApp& app, const std::vector<Mount>& mounts)
{
    for (const auto& mount : mounts)
        if (!has_mount_at(app, mount.path))
            app.mounts.push_back(mount);
}

model::VolumeName unused_volume_name(const PodManifest& pod, const std::string& wanted)
{
    auto name = model::VolumeName::parse(wanted);
    for (int i = 2; pod.find_volume(name); ++i) // app "a" with "b-c" and app "a-b" with "c" would share one
        name = model::VolumeName::parse(fmt::format("{}-{}", wanted, i));
    return name;
}

bool was_converted(const Image& image)
{
    return model::find(image.manifest.annotations, "appc.io/docker/imageid") != nullptr;
}

// VOL-5: a mount with that path, else the pod's volume of that name, else a new volume: empty, but for what the image
// has there if it is one that relies on it.
void satisfy_mount_points(Reified& result, std::size_t index, const Image& image)
{
    auto& pod = result.manifest;
    auto& app = pod.apps[index];
    for (const auto& point : app.app->mount_points) {
        if (has_mount_at(app, point.path))
            continue;
        if (pod.find_volume(point.name)) {
            app.mounts.push_back({point.name, point.path});
            continue;
        }
        const auto name = unused_volume_name(pod, app.name.str() + "-" + point.name.str());
        pod.volumes.push_back({.name = name});
        app.mounts.push_back({name, point.path});
        const bool seeded = was_converted(image);
        if (seeded)
            result.seeds.push_back({name, index, point.path});
        result.warnings.push_back(fmt::format("no volume for mount point {} of app {}: {} volume {} is used",
                                              quoted(point.name.str()), quoted(app.name.str()),
                                              seeded ? "the pod's own" : "an empty", quoted(name.str())));
    }
}

Reified finished(PodManifest manifest, const std::vector<Image>& images)
{
    Reified result{.manifest = std::move(manifest), .seeds = {}, .warnings = {}};
    for (std::size_t index = 0; index < result.manifest.apps.size(); ++index)
        satisfy_mount_points(result, index, images.at(index));
    for (const auto& app : result.manifest.apps)
        model::check(*app.app, fmt::format("app {}", quoted(app.name.str())));
    model::check_reified(result.manifest);
    return result;
}

model::ImageReference reference_to(const Image& image)
{
    return {.name = image.manifest.name, .id = image.id, .labels = image.manifest.labels};
}

// POD-7: what the manifest says about an image besides its id has to be true.
void check_agreement(const RuntimeApp& app, const Image& image)
{
    const bool same_name = !app.image.name || *app.image.name == image.manifest.name;
    if (!same_name || !model::satisfies(image.manifest.labels, app.image.labels))
        fail(Error::Kind::usage, "app {}: image {} is {}, not what the pod manifest says it is", quoted(app.name.str()),
             image.id.str(), quoted(image.manifest.name.str()));
}

// rocket/health-cmd=image becomes what the image says, where nothing else is said. stage1 knows nothing of images'
// checks.
void take_health_of_image(RuntimeApp& app, const Image& image)
{
    const auto command = model::AcIdentifier::parse("rocket/health-cmd");
    const auto* const wish = model::find(app.annotations, command.str());
    if (wish == nullptr || *wish != model::health_of_image)
        return;
    const auto* const check = model::find(image.manifest.annotations, "appc.io/docker/healthcheck");
    const auto own = check != nullptr ? with_context("the image's HEALTHCHECK",
                                                     [&] { return model::health_annotations_of_image(*check); })
                                      : model::Annotations{};
    std::erase_if(app.annotations, [&](const auto& annotation) { return annotation.name == command; });
    for (const auto& annotation : own)
        if (model::find(app.annotations, annotation.name.str()) == nullptr)
            app.annotations.push_back(annotation);
    const auto says_more = [](const model::Annotation& annotation) {
        return annotation.name.str().starts_with("rocket/health-");
    };
    if (own.empty() && std::ranges::any_of(app.annotations, says_more))
        throw Error{Error::Kind::usage, fmt::format("app {}: its image has no health check", quoted(app.name.str())),
                    "say with --health-cmd how its health is found out"};
}

// A port that no image names may be asked for by what it is called in converted images: "80-tcp".
void declare_ports(PodManifest& manifest)
{
    const auto is_known = [&](const model::PortName& name) {
        return std::ranges::any_of(manifest.apps, [&](const RuntimeApp& app) {
            return std::ranges::any_of(app.app->ports, [&](const model::Port& port) { return port.name == name; });
        });
    };
    for (const auto& exposed : manifest.ports) {
        const auto& name = exposed.name.str();
        const auto dash = std::min(name.find('-'), name.size());
        const auto number = text::parse_decimal(name.substr(0, dash), UINT16_MAX).value_or(0);
        const auto protocol = name.substr(std::min(dash + 1, name.size()));
        const bool is_plain = protocol == "tcp" || protocol == "udp" || protocol == "sctp";
        if (number != 0 && is_plain && !manifest.apps.empty() && !is_known(exposed.name))
            manifest.apps.front().app->ports.push_back(
                {.name = exposed.name, .protocol = protocol, .port = static_cast<std::uint16_t>(number)});
    }
}

void set_kernel_parameters(PodManifest& manifest, const std::map<std::string, std::string>& parameters)
{
    if (!parameters.empty())
        manifest.isolators.append({model::AcIdentifier::parse("os/unix/sysctl"), model::json::to_json(parameters)});
}

void add_app(PodManifest& manifest, const PodRequest& request, const AppRequest& wanted, const Image& image, uid_t uid,
             gid_t gid)
{
    check_platform(image);
    RuntimeApp app{.name = wanted.name ? *wanted.name : model::default_app_name(image.manifest.name),
                   .image = reference_to(image)};
    if (manifest.find_app(app.name))
        throw Error{Error::Kind::usage, fmt::format("error: multiple apps with name {}", app.name.str()),
                    "give one of them another name with --name"};
    app.app = effective_app(request, wanted, image, uid, gid);
    app.read_only_root_fs = wanted.read_only_root_fs.value_or(false);
    app.annotations = wanted.annotations;
    take_health_of_image(app, image);
    add_mounts(app, wanted.mounts);
    add_mounts(app, request.mounts);
    manifest.apps.push_back(std::move(app));
}

} // namespace

Reified reify(const PodRequest& request, const std::vector<Image>& images, uid_t uid, gid_t gid)
{
    PodManifest manifest;
    manifest.volumes = request.volumes;
    manifest.ports = request.ports;
    set_kernel_parameters(manifest, request.kernel_parameters);
    for (std::size_t i = 0; i < request.apps.size(); ++i) {
        add_app(manifest, request, request.apps[i], images.at(i), uid, gid);
    }
    declare_ports(manifest);
    return finished(std::move(manifest), images);
}

Reified reify(PodManifest manifest, const std::vector<Image>& images)
{
    for (std::size_t i = 0; i < manifest.apps.size(); ++i) {
        auto& app = manifest.apps[i];
        const auto& image = images.at(i);
        check_platform(image);
        check_agreement(app, image);
        if (!app.app)
            app.app = image.manifest.app;
        if (!app.app)
            fail(Error::Kind::usage, "no app section in the pod manifest or the image manifest for app {}",
                 quoted(app.name.str()));
        app.image.name = image.manifest.name; // so that `list` can show it without opening the image manifest
        app.image.labels = image.manifest.labels;
    }
    return finished(std::move(manifest), images);
}

Reified reify_added(PodManifest manifest, const AppRequest& app, const Image& image, uid_t uid, gid_t gid)
{
    auto wanted = app;
    if (!wanted.exec && !wanted.arguments.empty() && image.manifest.app && !image.manifest.app->exec.empty())
        wanted.exec = image.manifest.app->exec.front();
    add_app(manifest, {}, wanted, image, uid, gid);
    Reified result{.manifest = std::move(manifest), .seeds = {}, .warnings = {}};
    auto& pod = result.manifest;
    auto& added = pod.apps.back();
    for (const auto& point : added.app->mount_points) // the app's own, and removed with it (VOL-5, F9)
        if (!has_mount_at(added, point.path) && pod.find_volume(point.name) == nullptr) {
            added.mounts.push_back({point.name, point.path, model::Volume{.name = point.name}});
            if (was_converted(image))
                result.seeds.push_back({point.name, pod.apps.size() - 1, point.path, true});
        }
    satisfy_mount_points(result, pod.apps.size() - 1, image); // those of the pod's volumes
    model::check(*added.app, fmt::format("app {}", quoted(added.name.str())));
    model::check_reified(pod);
    return result;
}

} // namespace rocket::pod
