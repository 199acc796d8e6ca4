// SPDX-License-Identifier: Apache-2.0
// Flags of a start: of `run`, and of `run-prepared` (cli 7.3), and what they become for stage1 (internals 3.3).
#pragma once

#include "stage0/cli/command.hh"
#include "stage0/pod/name_files.hh"
#include "stage0/pod/new_pod.hh"

namespace rocket::cli
{

struct StartFlags {
    std::string net = "default";
    pod::NameOptions names;
    std::string ipc = "auto";
    bool interactive = false;
    bool mds_register = false;

    void declare(FlagSet& flags);
};

enum class Network { none, host };

// The flags, checked. `name_files` is to be written into the pod directory before it starts.
struct Start {
    Network network;
    pod::NameFiles name_files;
    std::vector<std::string> arguments; // of stage1's `run`
    std::string hostname;
};

// "netname must not be empty" ...; Kind::unsupported for networks that this build does not have.
Network parse_network(const std::string& list);
Start check(const StartFlags& flags, const Context& context);

// Writes what belongs to this start into the pod directory, and becomes the pod's supervisor.
[[noreturn]] void start(const Start& start, pod::OwnedPod pod);

} // namespace rocket::cli
