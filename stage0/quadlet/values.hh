// SPDX-License-Identifier: Apache-2.0
// Values of Quadlet keys that have a grammar of their own, turned into flags of `rocket run`.
// Errors: Kind::usage, "FILE:LINE: ...".
#pragma once

#include <string>
#include <vector>

#include "stage0/quadlet/container.hh"

namespace rocket::quadlet
{

// Flags of the pod and of the app for one volume.
struct VolumeFlags {
    std::string volume; // --volume=...
    std::string mount;  // --mount=...
    std::vector<Reference> references = {};
};

// A source NAME.volume stays in the flag: the translator knows what directory that is.
VolumeFlags volume_flags(const Entry& entry, const std::string& name); // Volume=[SOURCE:]TARGET[:OPTIONS]
VolumeFlags tmpfs_flags(const Entry& entry, const std::string& name);  // Tmpfs=TARGET[:mode=...]
VolumeFlags mount_flags(const Entry& entry, const std::string& name);  // Mount=type=bind,source=...
VolumeFlags host_file(const std::string& source, const std::string& target, bool read_only, const std::string& name);
std::string port_flag(const Entry& entry);  // PublishPort=
std::string hosts_flag(const Entry& entry); // AddHost=NAME:IP
// All of Network=, and IP= if it is there. NAME.network stays: the translator knows what that network is called.
std::string network_flag(const std::vector<Entry>& networks, const Entry* ip);
std::string capability_flag(const std::vector<std::string>& added, const std::vector<std::string>& dropped,
                            const Entry& entry);

// An image as users of Quadlet write it: a reference without a scheme is one of a registry.
std::string image_reference(const std::string& image);
// Where the data of a volume is: `file` is the name of its .volume file, `name` its VolumeName=, if it has one.
std::string volume_directory(const std::string& file, const Entry* name);
// Pull= as a pull policy.
Pull pull_policy(const Entry& entry);
std::string_view fetch_policy(Pull pull);   // for --pull-policy=
std::string retry_flag(const Entry& entry); // Retry=, RetryDelay= as flags of `rocket fetch`

} // namespace rocket::quadlet
