// SPDX-License-Identifier: Apache-2.0
// What the command line of the stage1 `run` entry point says (interface version 7), as plain data. The defaults are
// those of an argument that is not given.
#pragma once

#include <optional>
#include <string>

#include "common/model/id_range.hh"

namespace rocket::stage1
{

enum class NetworkKind { none, host, planned }; // --net: none, host, or networks, which net/plan.json says all of
enum class Ipc { automatic, isolated, parent }; // --ipc=auto, private, parent; what auto is, the flavour says
enum class NameFile { image, none, pod, host }; // --dns-conf-mode: default, none, stage0, host

struct RunOptions {
    bool debug = false;
    bool interactive = false;                    // the pod's one app gets a terminal
    std::optional<model::IdRange> private_users; // a user namespace with these ids of the host
    bool is_mutable = false;                     // --mutable: apps come and go while the pod runs
    NetworkKind network = NetworkKind::none;
    bool mds_register = false;    // with the metadata service
    bool register_machine = true; // false: --register=no, machined is not to know of the pod
    Ipc ipc = Ipc::automatic;
    std::string hostname;                   // empty: rkt-UUID
    std::string local_config;               // --local-config
    NameFile resolv_conf = NameFile::image; // pod: the file that stage0 wrote into the pod directory
    NameFile hosts = NameFile::image;       // never `none`
    bool restrict_capabilities = true;      // false: --disable-capabilities-restriction
    bool restrict_paths = true;             // false: --disable-paths
    bool restrict_seccomp = true;           // false: --disable-seccomp
};

} // namespace rocket::stage1
