// SPDX-License-Identifier: Apache-2.0
// What happens to pods and images, seen as it happens in their directories (inotify), and in the end of their
// supervisors. Nothing is asked again and again, and nobody has to tell. What was there before is no event.
// Errors: Kind::busy if more has happened than the kernel kept.
#pragma once

#include <v1alpha.pb.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "stage0/pod/pod.hh"

namespace rocket::api
{

class Events
{
public:
    explicit Events(model::Layout layout);

    // What has happened; none if nothing does for that long.
    std::vector<v1alpha::Event> wait(std::chrono::milliseconds patience);

private:
    enum class Place { parent, stage, images, pod, status };
    struct Watched {
        Place place;
        std::string path;
        model::PodStage stage = model::PodStage::run;
        std::string id = {}; // of the pod
    };
    struct Running {
        Fd supervisor; // pidfd, once it is known
        std::set<std::string> started, exited;
        bool has_started = false;
    };

    void watch(const Watched& what);
    void watch_all();
    void on_event(const Watched& where, std::uint32_t mask, const std::string& name);
    void on_pod_moved(model::PodStage stage, bool came, const std::string& name);
    void on_image(bool came, const std::string& name);
    void on_pod_file(const std::string& id, const std::string& name);
    void on_status_file(const std::string& id, const std::string& name);
    void follow(const model::PodId& id, bool is_new);
    void look_at_status(const std::string& id);
    void on_ready(const std::string& id);
    void on_exit(const std::string& id);
    void check_vanished();
    void check_supervisors();
    void tell(v1alpha::EventType type, const std::string& id, const std::string& from = {});

    model::Layout layout_;
    Fd inotify_;
    std::map<int, Watched> watched_;
    std::map<std::string, Running> running_;           // by UUID
    std::map<std::string, model::PodStage> vanishing_; // pods that have left a stage: to another one, or for good
    std::map<std::string, std::string> image_names_;   // of removed ones nobody could look them up any more
    std::vector<v1alpha::Event> told_;
};

} // namespace rocket::api
