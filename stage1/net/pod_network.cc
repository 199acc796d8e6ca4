// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/pod_network.hh"

#include <net/if.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/log.hh"
#include "common/sys/sys.hh"
#include "common/sys/trace.hh"

namespace rocket::stage1
{

namespace
{

namespace pod_dir = model::pod_dir;

Spawn helper(const std::string& stage1_rootfs, std::vector<std::string> words)
{
    Spawn spawning{.program = stage1_rootfs + "/rocket/network", .argv = {"network"}, .fds = {{2, STDERR_FILENO}}};
    spawning.argv.insert(spawning.argv.end(), words.begin(), words.end());
    for (const char* name : {"ROCKET_CNI_TIMEOUT", "ROCKET_NET_FIREWALL"})
        if (const char* value = std::getenv(name))
            spawning.env.push_back(std::string{name} + "=" + value);
    return spawning;
}

bool names_are_unique(const model::NetworkRequest& network)
{
    constexpr std::array<std::string_view, 2> links{"ptp", "bridge"};
    constexpr std::array<std::string_view, 2> leases{"host-local", "static"};
    const auto& plugin = network.config.plugins.front();
    return std::ranges::find(links, model::plugin_type(plugin)) != links.end() &&
           std::ranges::find(leases, model::ipam_type(plugin)) != leases.end();
}

// Looking for somebody else with the same IPv6 address takes the kernel 1.6 s, for which the plugins wait. Where the
// address is a lease on a link that only we connect to there is nobody else. The switch is the namespace's, for
// interfaces that come later.
void skip_address_detection(int pod_namespace)
{
    const auto own = sys::open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY);
    sys::check([&] { return ::setns(pod_namespace, CLONE_NEWNET); }, "joining the pod's network namespace");
    try {
        if (const auto file = sys::open_if_exists(AT_FDCWD, "/proc/sys/net/ipv6/conf/default/accept_dad", O_WRONLY))
            sys::write_all(file->get(), "0");
    } catch (const Error&) { // then it takes longer
    }
    sys::check([&] { return ::setns(own.get(), CLONE_NEWNET); }, "returning from the pod's network namespace");
}

} // namespace

PodNetwork::PodNetwork(const Pod& pod) : pod_{pod} {}

PodNetwork::~PodNetwork()
{
    tear_down();
}

void PodNetwork::begin(pid_t init)
{
    namespace_ = sys::open(AT_FDCWD, fmt::format("/proc/{}/ns/net", init), O_RDONLY);
    path_ = fmt::format("/proc/{}/fd/{}", ::getpid(), namespace_.get());
    const auto plan = model::NetworkPlan::parse(file::read(pod_.dir.get(), pod_dir::network_plan));
    if (std::ranges::all_of(plan.networks, names_are_unique))
        skip_address_detection(namespace_.get());
    auto pipe = sys::make_pipe();
    auto spawning = helper(pod_.runtime.stage1_rootfs, {"--report", "add", pod_.id.str(), path_});
    spawning.fds[1] = pipe.write.get();
    has_begun_ = true;
    helper_ = spawn(spawning);
    report_ = std::move(pipe.read);
    trace::mark("network begun");
}

void PodNetwork::when_done(EventLoop& loop, Done done)
{
    done_.push_back(std::move(done));
    if (reported_source_)
        return;
    sys::set_nonblocking(report_.get(), true);
    reported_source_ = loop.on_io(report_.get(), EPOLLIN, [this](std::uint32_t) { on_report(); });
}

// The helper's end of the pipe is closed when it ends; an error comes before that.
void PodNetwork::on_report()
{
    char buffer[4096];
    const auto got = ::read(report_.get(), buffer, sizeof buffer);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        reported_.append(buffer, static_cast<std::size_t>(got));
        return;
    }
    reported_source_.reset();
    std::optional<Error> failed;
    try {
        finish_setup();
    } catch (const Error& error) {
        failed = error;
    }
    for (const auto& done : std::exchange(done_, {}))
        done(failed ? &*failed : nullptr);
}

std::vector<int> PodNetwork::interface_indices() const
{
    std::vector<int> indices;
    for (const auto& network : state_.networks)
        for (const auto& name : network.result ? network.result->host_interfaces : std::vector<std::string>{})
            if (const auto index = ::if_nametoindex(name.c_str()); index != 0)
                indices.push_back(static_cast<int>(index));
    return indices;
}

void PodNetwork::finish_setup()
{
    const auto status = helper_.wait();
    if (!reported_.empty())
        throw Error::deserialize(reported_);
    if (!status.ok())
        fail(Error::Kind::system, "setting up the pod's network ended with status {}", status.shell_status());
    state_ = model::NetworkState::parse(file::read(pod_.dir.get(), pod_dir::network_state));
    is_up_ = true;
    trace::mark("network up");
}

void PodNetwork::tear_down() noexcept
{
    if (!std::exchange(has_begun_, false))
        return;
    try {
        reported_source_.reset();
        helper_ = {}; // killed, if it still runs: the next one waits for the plugin that it leaves
        auto spawning = helper(pod_.runtime.stage1_rootfs, {"del", pod_.id.str(), path_});
        spawn(spawning).wait();
        trace::mark("network gone");
    } catch (const std::exception& error) {
        log::print("warning: the pod's network is left to gc: {}", error.what());
    }
}

bool release_network(const std::string& stage1_rootfs, const model::PodId& id, int pod)
{
    if (!file::read_if_exists(pod, pod_dir::network_plan))
        return true;
    return spawn(helper(stage1_rootfs, {"del", id.str()})).wait().ok();
}

} // namespace rocket::stage1
