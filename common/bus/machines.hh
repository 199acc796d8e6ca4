// SPDX-License-Identifier: Apache-2.0
// Pods as machines of systemd-machined: how they are called, and the calls that make one.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/bus/bus.hh"
#include "common/model/names.hh"

namespace rocket::bus
{

std::string machine_name(const model::PodId& id); // rkt-UUID

// To org.freedesktop.machine1.Manager, without arguments yet.
Message machined_call(sd_bus* bus, const char* member);
// The arguments that CreateMachineWithNetwork and RegisterMachineWithNetwork have in common.
// `interfaces`: the host's ends of the pod's links, by index.
Message new_machine_call(sd_bus* bus, const char* member, const model::PodId& id, pid_t leader,
                         const std::vector<int>& interfaces);

} // namespace rocket::bus
