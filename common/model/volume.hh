// SPDX-License-Identifier: Apache-2.0
// Volumes of a pod, where an app wants one (mount point), and where it gets one (mount) (chapter 11, STR-1, STR-2,
// cli 7.5). parse() reads the object string of the command line, from() JSON; both check everything. Errors: parse()
// Kind::usage, from() Kind::corrupt with the place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/ac_name.hh"
#include "common/model/json_object.hh"

namespace rocket::model
{

struct Volume {
    enum class Kind { empty, host };

    VolumeName name;
    Kind kind = Kind::empty;
    std::string source = {};                     // host only: absolute
    std::optional<bool> read_only = {};          // unset: the mount point decides (VOL-9)
    std::optional<bool> recursive = {};          // host only; unset: yes
    std::uint32_t mode = 0755, uid = 0, gid = 0; // empty only
    json::Frame unknown = {};

    static Volume parse(std::string_view text); // NAME,kind=host,source=/data,readOnly=true
    static Volume from(const json::Cursor& cursor);
    std::string str() const; // what parse() reads
    json::Value json() const;
    bool operator==(const Volume&) const = default;
};

struct MountPoint {
    AcName name;
    std::string path; // absolute when cleaned, not "/" (APP-20)
    bool read_only = false;
    json::Frame unknown = {};

    static MountPoint parse(std::string_view text); // NAME,path=/data,readOnly=true
    static MountPoint from(const json::Cursor& cursor);
    std::string str() const;
    json::Value json() const;
    bool operator==(const MountPoint&) const = default;
};

struct Mount {
    VolumeName volume;
    std::string path;                      // in the app; absolute when cleaned, not "/" (VOL-4)
    std::optional<Volume> app_volume = {}; // instead of the pod's volume of that name (VOL-3)
    json::Frame unknown = {};

    static Mount parse(std::string_view text); // volume=NAME,target=/data (cli 7.2)
    static Mount from(const json::Cursor& cursor);
    json::Value json() const;
    bool operator==(const Mount&) const = default;
};

// Whether the mount is read-only: the volume decides if it says anything, else the mount point, if there is one
// (VOL-9).
bool is_read_only(const Volume& volume, const MountPoint* mount_point) noexcept;

} // namespace rocket::model
