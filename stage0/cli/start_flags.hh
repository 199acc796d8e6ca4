// SPDX-License-Identifier: Apache-2.0
// Flags of a start: of `run`, and of `run-prepared` (cli 7.3), and what they become for stage1 (internals 3.3).
#pragma once

#include <memory>

#include "common/model/network.hh"
#include "stage0/cli/command.hh"
#include "stage0/net/selection.hh"
#include "stage0/pod/name_files.hh"
#include "stage0/pod/new_pod.hh"

namespace rocket::cli
{

struct StartFlags {
    Words nets; // each a list; together they are one
    pod::NameOptions names;
    std::string ipc = "auto";
    bool interactive = false;
    bool mds_register = false;
    bool register_machine = true;

    void declare(FlagSet& flags);
    void declare_sandbox(FlagSet& flags); // --net wants a value there, and nothing is interactive (cli 8.17)

private:
    void declare_common(FlagSet& flags);
};

// The flags, checked. `name_files` and `networks` are to be written into the pod directory before it starts.
struct Start {
    net::Selection network;
    pod::NameFiles name_files;
    model::NetworkPlan networks;        // of a pod whose network is private; its ports are the pod manifest's
    std::vector<std::string> arguments; // of stage1's `run`
    std::string hostname;
    std::shared_ptr<const Fd> users_host; // who registers the pod with machined, if root of our own cannot
};

Start check(const StartFlags& flags, const Context& context);
// The ports that the pod will publish can be, and are free; before the pod is made, or moved (cli 8.1).
void check_ports(const Start& start, const model::PodManifest& pod);

// Writes what belongs to this start into the pod directory, and becomes the pod's supervisor.
[[noreturn]] void start(const Start& start, pod::OwnedPod pod);

} // namespace rocket::cli
