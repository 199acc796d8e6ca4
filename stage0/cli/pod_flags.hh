// SPDX-License-Identifier: Apache-2.0
// Flags of making a pod: of `run` and `prepare` (cli 7.3), images and their flags included.
#pragma once

#include <optional>

#include "common/sys/fd.hh"
#include "stage0/cli/app_args.hh"
#include "stage0/cli/stage1_flags.hh"
#include "stage0/image/acquire.hh"

namespace rocket::cli
{

struct PodFlags {
    AppArgs app_args;
    std::vector<model::Volume> volumes;
    bool follow_volume_links = false;
    std::vector<model::ExposedPort> ports;
    StringMap sysctl;
    bool inherit_env = false;
    StringMap set_env;
    model::Environment env_file;
    bool no_overlay = false;
    bool private_users = false;
    std::string pod_manifest;
    std::string pull_policy = "new";
    bool store_only = false, no_store = false;
    Stage1Flags stage1;
    std::string uuid_file_save;

    void declare(FlagSet& flags);
    void declare_sandbox(FlagSet& flags); // of a pod without apps
    void declare_pull_policy(FlagSet& flags);
    void declare_volume_links(FlagSet& flags);

private:
    void declare_common(FlagSet& flags);
    void declare_environment(FlagSet& flags);
};

// Everything that is wrong by itself, before any work (cli 8.1, steps 2, 3, 6 and 8).
void check(const PodFlags& flags);
image::PullPolicy pull_policy(const PodFlags& flags);

// The images of the command line as a pod to be; the caller's environment is looked at for --inherit-env.
pod::PodRequest request(const PodFlags& flags);

} // namespace rocket::cli
