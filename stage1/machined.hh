// SPDX-License-Identifier: Apache-2.0
// The pod as a machine of systemd-machined (cli 9.2): machinectl, systemctl -M and journalctl -M find it under its
// name. Without machined there is no machine and everything else works: nothing here is an error for the pod.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "common/bus/bus.hh"
#include "common/model/names.hh"
#include "common/sys/error.hh"
#include "stage1/event_loop.hh"

namespace rocket::stage1
{

class Machined
{
public:
    using Failed = std::function<void(const std::string& why)>;

    explicit Machined(const model::PodId& id);

    // Has machined make a scope with `leader` in it, and waits until it is there. Throws.
    void create_scope(pid_t leader);
    // Registers the pod in the cgroup it is in. A service that is started again is active meanwhile, so that machined
    // keeps the machine of the pod before: it makes room, if its leader has ended. Returns at once; the answers come
    // through the loop.
    // `interfaces`: the host's ends of the pod's links, by index.
    void register_in_place(pid_t leader, const std::vector<int>& interfaces, EventLoop& loop, Failed failed);

private:
    template <void (Machined::*answered)(sd_bus_message*)>
    void call(const bus::Message& message);
    void ask_for_its_leader();
    void on_its_leader(sd_bus_message* reply);
    void on_registered(sd_bus_message* reply);

    model::PodId id_;
    bus::Bus bus_;
    bus::Message registration_; // until it is sent
    std::string before_;        // the machine that the service has
    Failed failed_;
};

} // namespace rocket::stage1
