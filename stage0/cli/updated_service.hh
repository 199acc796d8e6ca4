// SPDX-License-Identifier: Apache-2.0
// A service of the host that is updated or rolled back: restarted with other images, and back again if that does not go
// well. Each result is the status to exit with; what was done is said on stdout, and recorded (update/deployment.hh).
// Errors: of the unit's command line as `run` has them; of the host's systemd (update/host_unit.hh).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stage0/cli/command.hh"
#include "stage0/image/acquire.hh"
#include "stage0/pod/pod_info.hh"
#include "stage0/update/deployment.hh"
#include "stage0/update/host_unit.hh"

namespace rocket::cli
{

struct UpdateOptions {
    bool check_only = false;
    bool all = false;
    bool retry = false;
    Duration start_timeout = std::chrono::minutes{5}; // how long it has to come up, whatever the unit allows
    Duration settle = std::chrono::seconds{10};       // and to stay up
};

// One service, from what it runs to what it is to run.
class UpdatedService
{
public:
    UpdatedService(const Invocation& invocation, const UpdateOptions& options, const std::string& unit);
    int update();
    int roll_back();

private:
    int settle_interrupted();
    std::optional<pod::PodInfo> pod() const;
    update::Images images_of(const pod::PodInfo& pod) const;
    update::Images running() const;
    std::optional<std::string> restart_and_look();
    update::Images fetch();
    int restart(update::Images before, update::Images after, update::Outcome wanted);
    int go_back(update::Change& change);
    void say(const std::string& what) { invocation_.context.out("{}: {}\n", host_.name(), what); }

    const Invocation& invocation_;
    const UpdateOptions& options_;
    update::HostUnit host_;
    Context context_;
    std::vector<image::Request> requests_;
    model::Layout layout_;
    update::OwnedDeployment deployment_;
};

} // namespace rocket::cli
