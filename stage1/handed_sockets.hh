// SPDX-License-Identifier: Apache-2.0
// Sockets that the host's systemd listens on for the pod (sd_listen_fds(3), systemd.socket(5), cli 9.3): which app gets
// which, and what the pod's PID 1 has to read to hand them over. They stay descriptors 3 and following all the way.
// Errors: Kind::usage for a socket that no app takes, or that is none.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "stage1/pod.hh"

namespace rocket::stage1
{

struct HandedSocket {
    std::size_t app = 0;   // index in the pod's manifest
    std::string name;      // as the app sees it in LISTEN_FDNAMES: its port's, or what the host called it
    std::string directive; // "ListenStream=[::1]:8080": by this PID 1 knows that it is its
};

// In the order of their descriptors, which are closed on exec from now on. Empty if there are none for this process.
//
// A socket belongs to the app that has a port of the socket's name (FileDescriptorName=), or whose name that is; else
// to the app with a socket-activated port that is published as the socket's number or, unpublished, has it. An app that
// is alone gets all that is left.
std::vector<HandedSocket> take_handed_sockets(const Pod& pod);

// Files of /run/systemd/system in the pod: path, content.
using UnitFiles = std::vector<std::pair<std::string, std::string>>;
UnitFiles units_for(const std::vector<HandedSocket>& sockets, const Pod& pod);

// --- the parts without a system
struct ListeningSocket {
    std::string host_name; // FileDescriptorName=
    unsigned port = 0;     // 0: it has no number
    std::string directive = {};
};
HandedSocket assign(const ListeningSocket& socket, const Pod& pod);

} // namespace rocket::stage1
