// SPDX-License-Identifier: Apache-2.0
// Ports of the host that pods publish. They are the host's, whatever data directory a pod is in: each pod that
// publishes has a file in /run/rocket/ports, named by its UUID, and whoever looks or writes holds the lock on that
// directory, so that of two pods that want the same port one is refused before it starts (F6). stage1 takes the file
// away when the rules are gone. Errors: Kind::busy, naming the port and its holder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/model/layout.hh"
#include "common/model/pod_manifest.hh"

namespace rocket::net
{

// The ports that a pod publishes. Those that the host's systemd listens on for it (socketActivated) are not: they
// arrive as descriptors.
std::vector<model::PublishedPort> published_ports(const model::PodManifest& pod);

struct Holder {
    model::PodId pod;
    std::string data_dir;
};

class HostPorts
{
public:
    // Gives back what a pod that has ended without its supervisor still holds; false: the pod is alive.
    using Release = std::function<bool(const Holder& holder)>;

    explicit HostPorts(Release release, std::string directory = model::host_run::ports)
        : release_{std::move(release)}, directory_{std::move(directory)}
    {
    }

    // Neither another pod nor a program of the host has any of them.
    void check_free(const std::vector<model::PublishedPort>& ports) const;
    // check_free(), and from now on they are this pod's.
    void reserve(const Holder& pod, const std::vector<model::PublishedPort>& ports) const;

private:
    void check_against_pods(int directory, const std::vector<model::PublishedPort>& ports) const;

    Release release_;
    std::string directory_;
};

} // namespace rocket::net
