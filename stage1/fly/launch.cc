// SPDX-License-Identifier: Apache-2.0
#include "stage1/fly/launch.hh"

#include "common/sys/cgroup.hh"
#include "common/sys/sys.hh"
#include "stage1/fly/limits.hh"
#include "stage1/fly/plan.hh"
#include "stage1/fly/setup.hh"
#include "stage1/process_clone.hh"
#include "stage1/sources.hh"

namespace rocket::stage1::fly
{

namespace
{

// They outlive the app's process; what they share with ours does not matter.
std::vector<Fd> open_namespaces(pid_t pid)
{
    std::vector<Fd> all;
    for (const char* kind : {"mnt", "net", "ipc", "uts"})
        all.push_back(sys::open(AT_FDCWD, fmt::format("/proc/{}/ns/{}", pid, kind), O_RDONLY));
    return all;
}

} // namespace

Launched launch(const Pod& pod, const Plan& plan, PodFacts facts, const std::string& group)
{
    auto sources = open_app_sources(pod, plan);
    facts = with_sources(std::move(facts), plan, sources);
    auto channel = make_channel();
    const auto group_fd = cgroup::open(group);
    auto app = clone_into(namespaces(plan), group_fd.get());
    if (!app) {
        channel.parent.close();
        set_up_and_become_app({pod, plan, sources, facts, channel.child});
    }
    channel.child.close();

    auto spec = channel.parent.receive_one();
    save(spec, pod.dir.get());
    std::vector<Fd> joined;
    Fd root;
    if (spec.exec_error.empty()) {
        set_limits(spec.resources, group);
        if (spec.post_stop) {
            joined = open_namespaces(app.pid());
            root = sys::open(AT_FDCWD, fmt::format("/proc/{}/root", app.pid()), O_PATH | O_DIRECTORY);
        }
        channel.parent.go();
    }
    auto& terminal = sources.apps.front().terminal;
    return {.app = std::move(app),
            .spec = std::move(spec),
            .channel = std::move(channel.parent),
            .terminal = terminal ? std::move(terminal->master) : Fd{},
            .namespaces = std::move(joined),
            .root = std::move(root)};
}

} // namespace rocket::stage1::fly
