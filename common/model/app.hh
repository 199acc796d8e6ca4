// SPDX-License-Identifier: Apache-2.0
// The app object: how to execute what is in an image (chapter 5). The same in image and pod manifests.
// Errors: Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/isolators.hh"
#include "common/model/json_object.hh"
#include "common/model/port.hh"
#include "common/model/volume.hh"

namespace rocket::model
{

struct EventHandler {
    enum class Event { pre_start, post_stop };
    Event event;
    std::vector<std::string> exec;
    json::Frame unknown = {};
    json::Value json() const;
    bool operator==(const EventHandler&) const = default;
};

struct EnvironmentVariable {
    std::string name; // see check_environment_name()
    std::string value;
    json::Frame unknown = {};
    json::Value json() const;
    bool operator==(const EnvironmentVariable&) const = default;
};
using Environment = std::vector<EnvironmentVariable>;

struct App {
    std::vector<std::string> exec;
    std::string user; // a number, a name in the image, or the path of a file whose owner is meant
    std::string group;
    std::vector<std::uint32_t> supplementary_gids = {}; // no duplicates
    std::vector<EventHandler> event_handlers = {};      // at most one of each kind
    std::string working_directory = {};                 // absolute; empty: "/"
    Environment environment = {};                       // names unique
    std::vector<MountPoint> mount_points = {};
    std::vector<Port> ports = {};
    Isolators isolators = {};
    std::map<std::string, std::string> user_annotations = {};
    std::map<std::string, std::string> user_labels = {};
    json::Frame unknown = {};

    static App from(const json::Cursor& cursor);
    json::Value json() const;
    const EventHandler* handler(EventHandler::Event event) const noexcept;
    bool operator==(const App&) const = default;
};

// Throws if the app, maybe edited since it was read, would not be valid in a manifest (EFF-3).
void check(const App& app, std::string_view place = "app");

void check_environment_name(std::string_view name); // Kind::usage (APP-16)
const std::string* find(const Environment& environment, std::string_view name) noexcept;
void set(Environment& environment, std::string_view name, std::string value); // in place, else appended

} // namespace rocket::model
