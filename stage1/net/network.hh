// SPDX-License-Identifier: Apache-2.0
// The networks of one pod, from the host's side: set up, looked after, taken away. Set-up, record and tear-down of a
// pod's network are here and nowhere else: net/plan.json says what is wanted; net/state.json is on disk before the
// first plugin is called, says exactly what is called, and is what tear-down goes by, however often (L8). The directory
// net/ is locked as long as a plugin works on it, also one whose caller was killed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/model/network.hh"
#include "common/model/pod_id.hh"
#include "common/sys/error.hh"
#include "common/sys/fd.hh"
#include "common/sys/lock.hh"

namespace rocket::stage1
{

using Warn = std::function<void(const Error&)>;

class Network
{
public:
    // `pod_dir` is the pod directory. Waits for plugins of an earlier caller; throws Kind::busy if they do not end.
    Network(const model::PodId& id, int pod_dir);

    // Everything that is planned, in order, with CNI_NETNS=`netns`. If something fails, all of it is undone.
    void set_up(const std::string& netns, const Warn& warn);
    // Asks the plugins whether everything is still there. The pod must be running.
    void check() const;
    // Undoes what is recorded, with an empty CNI_NETNS if the namespace is gone: the recorded path may be somebody
    // else's by then. What fails is told and stays recorded for the next attempt; returns whether nothing did.
    bool tear_down(const std::string& netns, const Warn& warn);

private:
    void attach();
    void apply_rules();
    void save(bool durable = false) const;
    bool release_firewall(const Warn& warn) const;

    model::PodId id_;
    Fd pod_dir_;
    Lock lock_;
    std::optional<model::NetworkState> state_;
    std::string search_path_;
};

} // namespace rocket::stage1
