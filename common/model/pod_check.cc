// SPDX-License-Identifier: Apache-2.0
// What must hold before a pod is executed; see pod_manifest.hh.
#include <algorithm>
#include <utility>

#include "common/model/app_policy.hh"
#include "common/model/mutability.hh"
#include "common/model/pod_manifest.hh"
#include "common/sys/path.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

// Equal or nested targets hide each other (VOL-13).
void check_overlap(const RuntimeApp& app)
{
    std::vector<std::string> targets;
    for (const auto& mount : app.mounts)
        targets.push_back(clean_absolute(mount.path));
    for (std::size_t i = 0; i < targets.size(); ++i)
        for (std::size_t j = 0; j < targets.size(); ++j)
            if (i != j && is_at_or_below(targets[j], targets[i]))
                fail(Error::Kind::usage, "app {} has overlapping mounts: {} and {}", text::quoted(app.name.str()),
                     text::quoted(targets[i]), text::quoted(targets[j]));
}

void check_mount_points(const RuntimeApp& app)
{
    for (const auto& point : app.app->mount_points) {
        const auto path = clean_absolute(point.path);
        const auto is_here = [&](const Mount& mount) { return clean_absolute(mount.path) == path; };
        if (std::ranges::none_of(app.mounts, is_here))
            throw Error{Error::Kind::usage,
                        fmt::format("app {}: nothing is mounted at mount point {} ({})", text::quoted(app.name.str()),
                                    text::quoted(point.name.str()), text::quoted(point.path)),
                        fmt::format("add a mount with the path {} to the app, and a volume for it", point.path)};
    }
}

void check_app(const PodManifest& pod, const RuntimeApp& app)
{
    if (!app.image.id)
        fail(Error::Kind::usage, "no image ID for app {}", text::quoted(app.name.str()));
    if (!app.app)
        fail(Error::Kind::usage, "no app section for app {}", text::quoted(app.name.str()));
    for (const auto& mount : app.mounts)
        volume_of(pod, mount);
    check_overlap(app);
    check_mount_points(app);
}

// The index of an app that is named in an annotation of another one.
std::size_t other_app(const PodManifest& pod, const RuntimeApp& app, const AppName& named)
{
    const auto* const found = pod.find_app(named);
    if (found == nullptr || found == &app)
        throw Error{
            Error::Kind::usage,
            fmt::format("app {} cannot be started after {}", text::quoted(app.name.str()), text::quoted(named.str())),
            "name another app of the same pod"};
    return static_cast<std::size_t>(found - pod.apps.data());
}

// Apps that wait for each other would never be started: whoever is left when nobody is ready to start waits in a ring.
void check_order(const PodManifest& pod)
{
    std::vector<std::vector<std::size_t>> waits_for;
    for (const auto& app : pod.apps) {
        with_context(fmt::format("app {}", text::quoted(app.name.str())), [&] {
            waits_for.emplace_back();
            for (const auto& named : policy_of(app.annotations).after)
                waits_for.back().push_back(other_app(pod, app, named));
        });
    }
    std::vector<bool> is_started(pod.apps.size());
    for (bool moved = true; std::exchange(moved, false);)
        for (std::size_t app = 0; app < pod.apps.size(); ++app)
            if (!is_started[app] && std::ranges::all_of(waits_for[app], [&](auto other) { return is_started[other]; }))
                moved = is_started[app] = true;
    const auto stuck = std::ranges::find(is_started, false);
    if (stuck != is_started.end())
        fail(Error::Kind::usage, "app {} waits for an app that waits for it",
             text::quoted(pod.apps[static_cast<std::size_t>(stuck - is_started.begin())].name.str()));
}

void check_ports(const PodManifest& pod) // POD-12, POD-14, POD-16
{
    std::vector<PublishedPort> taken;
    for (const auto& exposed : pod.ports) {
        const auto port = published_port(pod, exposed);
        if (port.host_port + port.count - 1 > 65535)
            fail(Error::Kind::usage, "port {}: the host's ports end at 65535", text::quoted(exposed.name.str()));
        const auto other = std::ranges::find_if(taken, [&](const PublishedPort& t) { return collide(t, port); });
        if (other != taken.end())
            fail(Error::Kind::usage, "port {}-{}:{} already mapped to pod port {}", port.protocol,
                 port.host_ip.empty() ? "0.0.0.0" : port.host_ip, port.host_port, other->pod_port);
        taken.push_back(port);
    }
}

} // namespace

const Volume& volume_of(const PodManifest& pod, const Mount& mount)
{
    if (mount.app_volume)
        return *mount.app_volume;
    if (const auto* volume = pod.find_volume(mount.volume))
        return *volume;
    throw Error{Error::Kind::usage,
                fmt::format("dangling mount point {}: volume {} not found", text::quoted(mount.path),
                            text::quoted(mount.volume.str())),
                fmt::format("declare it, as in --volume={},kind=empty", mount.volume.str())};
}

namespace
{

// ": http, metrics"
std::string known_ports(const PodManifest& pod)
{
    std::string names;
    for (const auto& app : pod.apps)
        for (const auto& port : app.app ? app.app->ports : std::vector<Port>{})
            names += (names.empty() ? ": " : ", ") + port.name.str();
    return names;
}

} // namespace

const Port& pod_port_of(const PodManifest& pod, const ExposedPort& exposed)
{
    if (exposed.pod_port)
        return *exposed.pod_port;
    const Port* found = nullptr;
    for (const auto& app : pod.apps) {
        if (!app.app)
            continue;
        const auto port = std::ranges::find(app.app->ports, exposed.name, &Port::name);
        if (port == app.app->ports.end())
            continue;
        if (found != nullptr)
            fail(Error::Kind::usage, "port name {} defined multiple apps", text::quoted(exposed.name.str()));
        found = &*port;
    }
    if (found == nullptr)
        throw Error{Error::Kind::usage,
                    fmt::format("port name {} could not be found in any apps", text::quoted(exposed.name.str())),
                    fmt::format("the ports are named in the image's manifest{}", known_ports(pod))};
    return *found;
}

PublishedPort published_port(const PodManifest& pod, const ExposedPort& exposed)
{
    const auto& port = pod_port_of(pod, exposed);
    return {.protocol = port.protocol,
            .host_ip = exposed.host_ip,
            .host_port = exposed.host_port,
            .pod_port = port.port,
            .count = port.count};
}

void check_reified(const PodManifest& pod)
{
    if (pod.apps.empty() && !is_mutable(pod))
        fail(Error::Kind::usage, "pod must contain at least one application");
    for (const auto& app : pod.apps)
        check_app(pod, app);
    check_order(pod);
    check_ports(pod);
}

} // namespace rocket::model
