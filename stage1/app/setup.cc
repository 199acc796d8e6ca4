// SPDX-License-Identifier: Apache-2.0
// What each app gets, whether it is there from the beginning or added later.
#include "common/sys/mount.hh"
#include "common/sys/sys.hh"
#include "stage1/construction.hh"
#include "stage1/resolve.hh"

namespace rocket::stage1
{

namespace
{

void prepare(Construction& pod, AppRoot& app, bool app_notifies)
{
    prepare_name_files(pod, app);
    const auto places = find_volume_places(app);
    make_systemd_directories(pod, app, app_notifies);
    mount_app_devices(pod, app);
    link_to_journal(app);
    mount_app_kernel_trees(pod, app);
    mount_volumes(app, places);
    mount_name_files(pod, app);
    if (app.plan.read_only)
        mount::set_attributes(app.root.fd(), MOUNT_ATTR_RDONLY, 0, false);
}

} // namespace

void prepare_app(Construction& pod, std::size_t index)
{
    auto& app = pod.apps[index];
    with_context(fmt::format("app {}", text::quoted(app.plan.name)),
                 [&] { prepare(pod, app, says_when_ready(pod.pod.manifest.apps[index], pod.pod.images[index])); });
}

AppSpec resolve_app(const Construction& pod, std::size_t index)
{
    const auto& app = pod.apps[index];
    auto spec = with_context(fmt::format("app {}", text::quoted(app.plan.name)), [&] {
        const auto& manifest = pod.pod.manifest;
        return resolve(manifest.apps[index], pod.pod.images[index], manifest.isolators, pod.facts, app.root);
    });
    spec.reports.insert(spec.reports.begin(), app.warnings.begin(), app.warnings.end());
    if (app.plan.streams.has_terminal()) // an app that is not root may open its own terminal, too
        sys::check([&] { return ::fchownat(app.dev.fd(), "pts/0", spec.uid, 5, AT_SYMLINK_NOFOLLOW); },
                   "giving the terminal to app {}", text::quoted(spec.name));
    return spec;
}

} // namespace rocket::stage1
