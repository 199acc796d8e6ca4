// SPDX-License-Identifier: Apache-2.0
// What a user asks a pod to be, as checked values: the command line without its grammar (cli 7). Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/app.hh"
#include "common/model/isolators.hh"
#include "common/model/labels.hh"
#include "common/model/names.hh"
#include "common/model/port.hh"
#include "common/model/volume.hh"

namespace rocket::pod
{

// One IMAGE and what was said about it. What is not set is the image's business (cli 7.2).
struct AppRequest {
    std::string image;     // as the user wrote it
    std::string signature; // path of a detached signature; empty: none
    std::optional<std::string> exec = {};
    std::vector<std::string> arguments = {};
    std::optional<model::AppName> name = {};
    std::optional<std::string> working_directory = {};
    std::optional<bool> read_only_root_fs = {};
    std::vector<model::Mount> mounts = {};
    std::optional<std::string> user = {};
    std::optional<std::string> group = {};
    std::vector<std::uint32_t> supplementary_gids = {}; // not empty: instead of the image's
    model::Environment environment = {};
    model::Annotations annotations = {};
    std::map<std::string, std::string> user_annotations = {}; // not empty: instead of the image's
    std::map<std::string, std::string> user_labels = {};
    std::vector<model::Isolator> appended_isolators = {};  // memory and cpu: the last one counts
    std::vector<model::Isolator> replacing_isolators = {}; // all others
};

// A pod made of images.
struct PodRequest {
    std::vector<AppRequest> apps = {};
    std::vector<model::Volume> volumes = {};
    std::vector<model::Mount> mounts = {}; // of every app, unless the app has one with the same path
    std::vector<model::ExposedPort> ports = {};
    std::map<std::string, std::string> kernel_parameters = {}; // of the pod's namespaces: isolator os/unix/sysctl
    // Environment of every app, lowest precedence first; the image's lies between `inherited` and `file`, the
    // app's own --environment above all (Q22).
    model::Environment inherited = {};
    model::Environment file = {}; // --set-env-file
    model::Environment set = {};  // --set-env
};

} // namespace rocket::pod
