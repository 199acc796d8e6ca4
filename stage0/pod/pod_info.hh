// SPDX-License-Identifier: Apache-2.0
// What can be said about a pod from outside, for list and status: read through the pod's descriptor, so that a pod
// which moves on meanwhile is still read as one. Plain data. Errors: Kind::not_found, Kind::corrupt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/network.hh"
#include "common/model/pod_manifest.hh"
#include "stage0/pod/pod.hh"

namespace rocket::pod
{

// How an app ended; both empty while nothing is recorded.
struct AppResult {
    std::optional<int> code = {};
    std::optional<int> signal = {};
    bool out_of_memory = false;
    int restarts = 0; // by annotations of the app
    std::optional<Time> started = {};
    std::optional<Time> finished = {};

    // The exit code or the plain signal number (cli 9.5).
    std::optional<int> status() const { return signal ? signal : code; }
};

// How well an app is, of one that is checked.
struct AppHealth {
    std::string status; // starting, healthy, unhealthy
    std::int64_t failing_streak = 0;
    std::optional<Time> checked = {};
    std::optional<int> exit_code = {}; // of the last check
    std::string output = {};           // of it, the beginning
};

struct AppInfo {
    model::RuntimeApp app;
    std::string state; // unknown, created, running, exited
    AppResult result = {};
    std::optional<Time> created = {}; // of mutable pods
    std::optional<AppHealth> health = {};
    std::vector<std::string> reports = {}; // isolators that are not in force, or changed (ISO-5); root sees them
};

// How the pod itself ended, as its supervisor recorded it.
struct ExitRecord {
    std::int64_t status = 0;
    std::string reason;
};

struct PodInfo {
    PodId id;
    State state;
    bool is_mutable = false;
    std::optional<Time> created = {};
    std::optional<Time> started = {};
    std::optional<Time> marked = {}; // by gc
    std::optional<std::int64_t> pid = {};
    std::optional<ExitRecord> exit = {};
    std::vector<AppInfo> apps = {};
    std::vector<model::AttachedNetwork> networks = {}; // that are, or were, up
    std::vector<model::Volume> volumes = {};
    std::map<std::string, std::string> user_annotations = {};
    std::map<std::string, std::string> user_labels = {};
};

enum class Detail {
    summary, // what a table shows: one file per pod, and one per app that is checked
    full,    // and how the apps ended
};
PodInfo read_info(const Pod& pod, Detail detail); // without apps, if was_lost()

// Whether a power cut took what an ended pod had in its files: only prepared pods are written for keeps (new_pod.hh).
bool was_lost(const Pod& pod);

// "default:ip4=172.16.28.2, default:ip6=fd72:6f63:6b65:1c::2" (cli 8.6; IPv6 is ours, Q28)
std::string network_addresses(const PodInfo& pod);

// "example.com/app:1.0", or without the version; "--" if the manifest does not say.
std::string image_name(const model::ImageReference& image);

} // namespace rocket::pod
