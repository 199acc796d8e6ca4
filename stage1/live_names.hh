// SPDX-License-Identifier: Apache-2.0
// /etc/resolv.conf and /etc/hosts of a pod that change while it runs: what the networks' plugins say about name
// servers; the names of other pods on the same networks; and the host's own files, which may be replaced (internals
// F14). Apps have them as read-only mounts of files in the pod's /run (name_files.cc); here those files are written
// again.
//
// A pod that was given a name (--hostname) is entered by its supervisor as /run/rocket/names/NETWORK/UUID, for each of
// its networks, and has all names that are entered there in its /etc/hosts: pods find each other without a daemon. The
// entry goes with the pod's network (net/network.cc).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/model/network.hh"
#include "common/sys/fd.hh"
#include "stage1/event_loop.hh"
#include "stage1/pod.hh"

namespace rocket::stage1
{

class LiveNames
{
public:
    // `run`: root of the pod's /run; stays the caller's.
    LiveNames(EventLoop& loop, int run, const Pod& pod) : loop_{loop}, run_{run}, pod_{pod} {}

    // The user has said what is in /etc/resolv.conf: networks have no part in it.
    void keep_resolv_conf() noexcept { takes_dns_ = false; }
    // The file of that name (hosts, resolv.conf) is the host's, now and when that changes.
    void follow_host(const std::string& name);
    // The networks are up; before the first app.
    void on_network(const model::NetworkState& state);

private:
    void enter_own_name(const model::NetworkState& state);
    void write_hosts() const;
    void watch(const std::string& directory, std::uint32_t events, std::function<void()> changed);
    void write(const std::string& name, const std::string& content) const;

    struct Watch {
        Fd inotify;
        Source source;
    };
    EventLoop& loop_;
    int run_;
    const Pod& pod_;
    bool takes_dns_ = true; // of the networks
    std::string base_hosts_;
    std::vector<std::string> directories_; // of names
    std::vector<Watch> watches_;
};

// Whether plugins may say something about name servers: then /etc/resolv.conf is theirs, unless the user has one.
bool may_bring_dns(const model::NetworkPlan& plan);
model::DnsConfig merged_dns(const model::NetworkState& state); // of all networks, in their order

} // namespace rocket::stage1
