// SPDX-License-Identifier: Apache-2.0
// A pod's network as its supervisor has it: begun when the pod's namespaces are there, so that plugins work while the
// pod's PID 1 starts; awaited before the first app; taken away when the pod is gone, whatever ended it. The work is
// done by the program `network` (main.cc), which goes by what lies in the pod directory; gc calls it likewise. The
// plugins' CNI_NETNS is a descriptor of the supervisor's, /proc/PID/fd/N: valid exactly as long as it lives, and
// nothing is mounted for it.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/model/network.hh"
#include "common/sys/error.hh"
#include "common/sys/process.hh"
#include "stage1/event_loop.hh"
#include "stage1/pod.hh"

namespace rocket::stage1
{

class PodNetwork
{
public:
    using Done = std::function<void(const Error* failed)>;

    explicit PodNetwork(const Pod& pod); // the pod directory has a plan
    ~PodNetwork();                       // tears down what was begun
    PodNetwork(const PodNetwork&) = delete;
    PodNetwork& operator=(const PodNetwork&) = delete;

    // The pod's first process has a network namespace of its own by now.
    void begin(pid_t init);
    // Once, when all networks are up, or one is not (then none is). After begin(); several may want to know.
    void when_done(EventLoop& loop, Done done);
    std::vector<int> interface_indices() const; // of the host's ends of the pod's links
    bool is_up() const noexcept { return is_up_; }
    const model::NetworkState& state() const noexcept { return state_; } // when it is up

    // After the pod's last process. Warns on stderr; gc tries again what did not work.
    void tear_down() noexcept;

private:
    void on_report();
    void finish_setup();

    const Pod& pod_;
    Fd namespace_;
    std::string path_;
    Process helper_;
    Fd report_;
    std::string reported_;
    Source reported_source_;
    std::vector<Done> done_;
    bool has_begun_ = false;
    bool is_up_ = false;
    model::NetworkState state_;
};

// Calls `network del UUID` for a pod whose namespaces are gone; false if something is left (it has told what).
bool release_network(const std::string& stage1_rootfs, const model::PodId& id, int pod_dir);

} // namespace rocket::stage1
