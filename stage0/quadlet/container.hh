// SPDX-License-Identifier: Apache-2.0
// What [Container] and [Pod] sections ask for, as words of a `rocket run` command line: one table row for every key
// that is understood, and one for every key of podman's Quadlet that is refused, with what to do instead. A key that
// stands in neither is an error as well: nothing is ignored. Errors: Kind::usage, "FILE:LINE: ...".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/quadlet/unit_file.hh"

namespace rocket::quadlet
{

// Where a volume, an image or a network comes from that has a unit file of its own: "data.volume".
struct Reference {
    std::string file;
    std::string place; // for errors
};

// [Socket] of an app that cannot be handed sockets: its connections come to a port of its own.
struct Forwarding {
    std::string port; // empty: it is handed the sockets
    std::string idle; // as `rocket forward` takes it; empty: it goes on for good
};

// When an image is fetched, by the words of Pull=. `newer` makes do with what is in the store if nobody answers.
enum class Pull { missing, always, newer, never };

struct App {
    std::string name;                       // as in --name
    std::string image;                      // as `rocket` takes it, or the name of a .image file
    std::string pod;                        // "NAME.pod"; empty: a pod of its own
    std::string place;                      // of Image=
    std::vector<std::string> flags;         // behind the image
    std::vector<std::string> arguments;     // behind "--"
    std::vector<std::string> pod_flags;     // in front of the images
    std::vector<std::string> global_flags;  // in front of `run`
    std::vector<std::string> service_lines; // of the service: LoadCredential=...
    std::vector<Entry> order;               // of [Unit] of the service: After=...
    std::vector<std::string> reload;        // ReloadCmd=
    std::vector<Reference> references;      // units that have to be there first
    std::vector<Entry> socket;              // [Socket]: what the host's systemd listens on for it
    Forwarding forwarding;
    std::vector<Entry> of_pod; // what was said that is about all apps of a pod
    Pull pull = Pull::missing;
    std::vector<std::string> retries;    // Retry=, RetryDelay=
    bool waits_for_network = true;       // what fetches its image: DefaultDependencies=
    std::uint64_t stop_timeout_usec = 0; // StopTimeout=
    bool auto_update = false;            // AutoUpdate=registry
    std::string service_name;            // ServiceName=
};

Forwarding read_forwarding(const std::vector<Entry>& section); // [Socket]

// `section` is [Container] of a file; the app is called as the file unless ContainerName= says otherwise.
App read_container(const UnitFile& file);

struct PodOptions {
    std::vector<std::string> flags; // in front of the images
    std::vector<std::string> global_flags;
    std::vector<std::string> service_lines;
    std::vector<Reference> references;
    std::string service_name;
};
PodOptions read_pod(const UnitFile& file);

std::vector<std::string_view> container_keys(); // the keys that are understood, by name
std::vector<std::string_view> socket_keys();    // of [Socket], beside those of systemd.socket(5)
std::vector<std::string_view> pod_keys();

// A key that a Quadlet file may well have, and why it is refused.
struct Refusal {
    std::string_view section; // "Container", "any"
    std::string_view key;
    std::string_view why;
    std::string_view but = ""; // the one value that may be given: it is so anyway
};
std::span<const Refusal> refused_keys();

// A key that is not understood. Returns only if it says what is so anyway.
void refuse_key(const Entry& entry, std::string_view section);
[[noreturn]] void refuse(const Entry& entry, std::string_view why);
bool bool_value(const Entry& entry);                 // as systemd reads booleans
bool has_default_dependencies(const UnitFile& file); // [Quadlet] DefaultDependencies=

} // namespace rocket::quadlet
