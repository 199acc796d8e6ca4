// SPDX-License-Identifier: Apache-2.0
// AppSpec -> the properties of StartTransientUnit, typed as D-Bus wants them and in the order to send them (R9: nothing
// of an image selects a property, nothing is parsed as unit file text). Pure. The caller appends what it alone
// knows: StandardInput/Output/Error file descriptors, After=, Description.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/model/app_policy.hh"
#include "stage1/app_spec.hh"

namespace rocket::stage1
{

struct NameFilter { // (bas): SystemCallFilter, RestrictAddressFamilies
    bool allow = false;
    std::vector<std::string> names;
    bool operator==(const NameFilter&) const = default;
};

struct ExecLine { // an element of a(sasas): ExecStartEx and its family
    std::string path;
    std::vector<std::string> argv;
    std::vector<std::string> flags;
    bool operator==(const ExecLine&) const = default;
};

using StringPair = std::pair<std::string, std::string>; // an element of a(ss): DeviceAllow

using NumberPair = std::pair<std::string, std::uint64_t>; // an element of a(st): IOReadBandwidthMax

struct BindMount {      // an element of a(ssbt): BindReadOnlyPaths
    std::string source; // in the pod
    std::string target; // in the app
    bool ignore_missing = false;
    std::uint64_t flags = 0; // MS_REC or nothing
    bool operator==(const BindMount&) const = default;
};

using PropertyValue =
    std::variant<bool, std::int32_t, std::uint32_t, std::uint64_t, std::string, std::vector<std::string>, NameFilter,
                 std::vector<ExecLine>, std::vector<StringPair>, std::vector<BindMount>, std::vector<NumberPair>>;

struct UnitProperty {
    std::string name;
    PropertyValue value;
    bool operator==(const UnitProperty&) const = default;
};

// The D-Bus type of a value: "b", "i", "u", "t", "s", "as", "(bas)", "a(sasas)", "a(ss)", "a(ssbt)", "a(st)".
std::string_view signature(const PropertyValue& value);

// Where PID 1 finds the socket on which an app says how it is, and where the app does.
std::string notify_socket_in_pod(std::string_view app);
inline constexpr const char* notify_socket_in_app = "/run/systemd/notify";

// Where the pod has the app's root.
std::string app_root_in_pod(std::string_view app);

// What the app is, and how it comes again, in which order and how it is stopped.
std::vector<UnitProperty> unit_properties(const AppSpec& spec, const model::AppPolicy& policy);

} // namespace rocket::stage1
