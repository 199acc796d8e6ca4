// SPDX-License-Identifier: Apache-2.0
// Pods whose apps come and go while they run (cli 8.17). Every change is a transaction of one command at a time: the
// name of the app is written into the file `change` of the pod directory, which is locked meanwhile, and taken out
// again at the end. An app whose name is there is not shown; if nobody holds the lock, its command was killed, and the
// app, half added or half removed, is removed before anything else happens (L9). Errors: Kind::usage for what the pod
// or the app is not.
#pragma once

#include <functional>
#include <optional>

#include "common/model/pod_manifest.hh"
#include "common/sys/lock.hh"
#include "stage0/pod/image.hh"
#include "stage0/pod/origins.hh"
#include "stage0/pod/pod.hh"
#include "stage0/pod/seeds.hh"

namespace rocket::pod
{

class MutablePod
{
public:
    // "immutable pod" if it is not one. Waits for other commands that change it, then repairs what a killed one left.
    MutablePod(const Pod& pod, std::function<void()> tick);

    const model::PodManifest& manifest() const noexcept { return manifest_; }
    // `manifest`: ours, with the app as its last. `seeds`: of volumes of its own. `origins`: as the app's own file.
    void add(model::PodManifest manifest, const Image& image, const std::vector<Seed>& seeds, const Origins& origins);
    void remove(const model::AppName& app); // stops it first if it runs

private:
    void begin(const model::AppName& app);
    void end();
    void repair();
    void take_away(const model::AppName& app); // any number of times
    void write(const model::PodManifest& manifest);
    bool is_running() const;

    const Pod& pod_;
    std::function<void()> tick_;
    Lock change_;
    model::PodManifest manifest_;
};

// app/start and app/stop, which change nothing that would have to be undone. The name must be that of an app.
void start_app(const Pod& pod, const model::AppName& app);
void stop_app(const Pod& pod, const model::AppName& app);

} // namespace rocket::pod
