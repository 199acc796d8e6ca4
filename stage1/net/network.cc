// SPDX-License-Identifier: Apache-2.0
#include "stage1/net/network.hh"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "common/model/layout.hh"
#include "common/sys/file.hh"
#include "common/sys/sys.hh"
#include "stage1/net/addresses.hh"
#include "stage1/net/chain.hh"
#include "stage1/net/demands.hh"
#include "stage1/net/firewall.hh"
#include "stage1/net/host_routes.hh"
#include "stage1/net/preparation.hh"

namespace rocket::stage1
{

namespace
{

using model::NetworkState;
namespace pod_dir = model::pod_dir;

constexpr int lock_attempts = 1400; // 70 s: longer than a plugin may take
constexpr std::chrono::milliseconds lock_pause{50};
constexpr std::size_t file_limit = 4U << 20U;

Lock lock_directory(int pod)
{
    for (int attempt = 0; attempt < lock_attempts; ++attempt) {
        auto directory = sys::open(pod, pod_dir::network, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (auto lock = Lock::try_take(std::move(directory), Lock::Mode::exclusive))
            return std::move(*lock);
        std::this_thread::sleep_for(lock_pause);
    }
    fail(Error::Kind::busy, "a network plugin that was called for this pod earlier does not end");
}

std::optional<NetworkState> read_state(int pod)
{
    const auto text = file::read_if_exists(pod, pod_dir::network_state, file_limit);
    return text ? std::optional{NetworkState::parse(*text)} : std::nullopt;
}

model::NetworkPlan read_plan(int pod)
{
    return model::NetworkPlan::parse(file::read(pod, pod_dir::network_plan, file_limit));
}

bool is_program(const std::string& path)
{
    const auto info = sys::stat_if_exists(AT_FDCWD, path, 0);
    return info && S_ISREG(info->st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> find_plugin(const std::vector<std::string>& directories, const std::string& type)
{
    for (const auto& directory : directories)
        if (const auto path = directory + "/" + type; is_program(path))
            return path;
    return std::nullopt;
}

// Only about time: whatever goes wrong is left to the kernel.
void settle(const model::AttachedNetwork& network)
{
    const auto type = model::plugin_type(network.request.config.plugins.front());
    if (type != "ptp" && type != "bridge")
        return;
    try {
        settle_addresses(network.result->host_interfaces);
    } catch (const Error&) {
    }
}

} // namespace

Network::Network(const model::PodId& id, int pod)
    : id_{id}, pod_dir_{sys::duplicate(pod)}, lock_{lock_directory(pod)}, state_{read_state(pod)},
      search_path_{fmt::format("{}", fmt::join(read_plan(pod).plugin_dirs, ":"))}
{
}

// Before the first plugin it has to survive a power cut: leases may lie on a disk.
void Network::save(bool durable) const
{
    const auto write = durable ? file::write_atomic : file::write_volatile;
    write(lock_.fd(), "state.json", state_->write(), 0644);
}

void Network::set_up(const std::string& netns, const Warn& warn)
{
    if (state_ && !state_->is_released && !tear_down("", warn)) // a start that was cut off
        fail(Error::Kind::system, "what is left of an earlier start cannot be undone");
    const auto plan = read_plan(pod_dir_.get());
    state_ = prepare(plan, Firewall{lock_.fd()}.look(),
                     [&](const auto& type) { return find_plugin(plan.plugin_dirs, type); });
    state_->namespace_path = netns;
    save(true);
    try {
        keep_router_advertisements();
        attach();
        check_demands(*state_);
        apply_rules();
    } catch (const Error&) {
        tear_down(netns, warn);
        throw;
    }
}

void Network::attach()
{
    auto& networks = state_->networks;
    for (auto& network : networks) {
        try {
            network.result = add(network, {id_.str(), state_->namespace_path, search_path_, lock_.fd()});
        } catch (const Error&) { // the plugins of those behind it were never called
            networks.erase(networks.begin() + (&network - networks.data()) + 1, networks.end());
            state_->publishing.reset();
            throw;
        }
        save();
        settle(network);
    }
}

void Network::apply_rules()
{
    if (publishes_on_loopback(*state_))
        for (const auto& interface : host_interfaces_of_ports(*state_))
            if (!is_bridge_port(interface))
                state_->local_routes.push_back(interface);
    save();
    Firewall{lock_.fd()}.add_rules(id_, *state_);
    route_loopback(id_, state_->local_routes);
}

void Network::check() const
{
    if (!state_ || state_->is_released || !is_locked_exclusively(pod_dir_.get(), "."))
        fail(Error::Kind::usage, "the pod has no network, or is not running");
    for (const auto& network : state_->networks)
        stage1::check(network, {id_.str(), state_->namespace_path, search_path_, lock_.fd()});
}

// The rules first: no packet of the host goes to an address that is somebody else's by then.
bool Network::release_firewall(const Warn& warn) const
{
    try {
        Firewall{lock_.fd()}.remove_rules(id_, *state_);
        unroute_loopback(id_, state_->local_routes);
        return true;
    } catch (const Error& error) {
        warn(error);
        return false;
    }
}

bool Network::tear_down(const std::string& netns, const Warn& warn)
{
    bool is_clean = true;
    if (state_ && !state_->is_released) {
        is_clean = release_firewall(warn);
        const ChainContext context{id_.str(), netns, search_path_, lock_.fd()};
        for (auto network = state_->networks.rbegin(); network != state_->networks.rend(); ++network)
            del(*network, context, [&](const Error& error) {
                is_clean = false;
                warn(error);
            });
        state_->is_released = is_clean;
        save();
    }
    if (state_)
        for (const auto& network : state_->networks)
            sys::unlink_if_exists(
                AT_FDCWD, fmt::format("{}/{}/{}", model::host_run::names, network.request.config.name, id_.str()));
    if (is_clean)
        sys::unlink_if_exists(AT_FDCWD, fmt::format("{}/{}", model::host_run::ports, id_.str()));
    return is_clean;
}

} // namespace rocket::stage1
