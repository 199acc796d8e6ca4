// SPDX-License-Identifier: Apache-2.0
#include "stage1/pod.hh"

#include <algorithm>

#include "common/model/app_policy.hh"
#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/text.hh"

namespace rocket::stage1
{

namespace
{

constexpr std::size_t manifest_limit = 4U << 20U; // R16

template <typename Type>
Type parse_file(int dir, const std::string& path)
{
    return with_context("reading " + path, [&] { return Type::parse(file::read(dir, path, manifest_limit)); });
}

void check_runtime(const Pod& pod)
{
    const auto absolute = [](const std::string& path) { return path.starts_with('/'); };
    if (!absolute(pod.runtime.stage1_rootfs))
        fail(Error::Kind::corrupt, "stage1 root {} is not absolute", text::quoted(pod.runtime.stage1_rootfs));
    for (const auto& app : pod.manifest.apps) {
        const auto* known = pod.runtime.find(app.name);
        if (known == nullptr)
            fail(Error::Kind::corrupt, "app {} is not in {}", text::quoted(app.name.str()), model::pod_dir::runtime);
    }
}

} // namespace

Pod load_pod(const model::PodId& id, Fd dir)
{
    return with_context(fmt::format("loading pod {}", id.str()), [&] {
        const int fd = dir.get();
        Pod pod{.id = id,
                .dir = std::move(dir),
                .manifest = parse_file<model::PodManifest>(fd, model::pod_dir::manifest),
                .runtime = parse_file<model::Runtime>(fd, model::pod_dir::runtime),
                .images = {}};
        model::check_reified(pod.manifest);
        check_runtime(pod);
        for (const auto& app : pod.manifest.apps)
            pod.images.push_back(parse_file<model::ImageManifest>(fd, model::pod_dir::app_manifest(app.name)));
        return pod;
    });
}

bool says_when_ready(const model::RuntimeApp& app, const model::ImageManifest& image)
{
    if (const auto wish = model::policy_of(app.annotations).notify)
        return *wish == model::AppPolicy::Notify::ready || *wish == model::AppPolicy::Notify::speaker;
    const auto* value = model::find(app.annotations, "appc.io/executor/supports-systemd-notify");
    return value != nullptr ? *value == "true" : image.supports_systemd_notify();
}

const model::RuntimeApp* speaker_of(const Pod& pod)
{
    const model::RuntimeApp* first = nullptr;
    const model::RuntimeApp* chosen = nullptr;
    for (std::size_t index = 0; index < pod.manifest.apps.size(); ++index) {
        const auto& app = pod.manifest.apps[index];
        if (first == nullptr && says_when_ready(app, pod.images[index]))
            first = &app;
        if (model::policy_of(app.annotations).notify != model::AppPolicy::Notify::speaker)
            continue;
        if (chosen != nullptr)
            throw Error{Error::Kind::usage,
                        fmt::format("both app {} and app {} are to speak for the pod", text::quoted(chosen->name.str()),
                                    text::quoted(app.name.str())),
                        "say --notify=ready for all but one of them"};
        chosen = &app;
    }
    return chosen != nullptr ? chosen : first;
}

Pod load_app(const model::PodId& id, Fd dir, const model::AppName& app)
{
    auto pod = load_pod(id, std::move(dir));
    for (std::size_t index = pod.manifest.apps.size(); index > 0; --index) {
        if (pod.manifest.apps[index - 1].name == app)
            continue;
        pod.manifest.apps.erase(pod.manifest.apps.begin() + static_cast<std::ptrdiff_t>(index) - 1);
        pod.images.erase(pod.images.begin() + static_cast<std::ptrdiff_t>(index) - 1);
    }
    if (pod.manifest.apps.empty())
        fail(Error::Kind::usage, "app {} is not in the pod manifest", text::quoted(app.str()));
    return pod;
}

} // namespace rocket::stage1
