// SPDX-License-Identifier: Apache-2.0
// What each key of [Container] and [Pod] does: one table row for every key that is understood. Errors: Kind::usage.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/values.hh"

namespace rocket::quadlet
{

// What is collected while a section is read, beside what comes out of it.
struct Reading {
    App app = {};
    std::string volume_prefix; // of the names of volumes: unique in the pod
    bool mounts_for_all = false;
    std::size_t volumes = 0;
    std::vector<Entry> networks = {};
    std::optional<Entry> ip = {};
    std::vector<std::string> added_capabilities = {}, dropped_capabilities = {};
    Entry capability_entry = {};
    std::vector<std::string> groups = {};
    std::vector<std::string> environment_files = {};
    bool is_checked = false, has_check = false; // its health; by a command that the file names

    std::string next_volume() { return fmt::format("{}-v{}", volume_prefix, ++volumes); }
    void mount(VolumeFlags flags);
    void flag(std::string_view name, std::string_view value);
    void pod_flag(std::string_view name, std::string_view value);
    void health(std::string_view setting, const Entry& entry);
    void policy(std::string_view annotation, const Entry& entry); // rocket/ANNOTATION (common/model/app_policy.hh)
};

struct Key {
    std::string_view name;
    void (*apply)(Reading& reading, const Entry& entry);
    bool of_pod = false; // it is about all apps: a member of a pod leaves it to the .pod file
};

std::span<const Key> keys_of_container(); // without the shared ones
std::span<const Key> keys_of_pod();
std::span<const Key> keys_of_both(); // the names and networks of a pod

void set_name(Reading& reading, const Entry& entry); // ContainerName=

} // namespace rocket::quadlet
