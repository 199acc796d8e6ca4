// SPDX-License-Identifier: Apache-2.0
// The pod manifest (chapter 10): which images run together and what they share. parse() accepts templates too, in which
// images have no id yet and volumes are missing; check_reified() is what must hold before anything is executed (POD-4,
// POD-5). Errors: Kind::corrupt with the place, such as: pod.apps[1] has no "image".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/app.hh"
#include "common/model/labels.hh"
#include "common/model/names.hh"

namespace rocket::model
{

struct ImageReference {
    std::optional<AcIdentifier> name = {};
    std::optional<ImageId> id = {}; // none: a template
    Labels labels = {};
    json::Frame unknown = {};
    bool operator==(const ImageReference&) const = default;
};

struct RuntimeApp {
    AppName name;
    ImageReference image;
    std::optional<App> app = {}; // replaces the image's app as a whole (EFF-1)
    bool read_only_root_fs = false;
    std::vector<Mount> mounts = {};
    Annotations annotations = {};
    json::Frame unknown = {};
    json::Value json() const;
    bool operator==(const RuntimeApp&) const = default;
};

struct PodManifest {
    AcVersion ac_version = AcVersion::ours();
    std::vector<RuntimeApp> apps = {};
    std::vector<Volume> volumes = {};
    Isolators isolators = {};
    Annotations annotations = {};
    std::vector<ExposedPort> ports = {};
    std::map<std::string, std::string> user_annotations = {};
    std::map<std::string, std::string> user_labels = {};
    json::Frame unknown = {};

    static PodManifest parse(std::string_view text);
    static PodManifest from(const json::Cursor& cursor);
    json::Value json() const;
    // Throws rather than give out a manifest that would not be valid (RT-7).
    std::string write(json::Style style = json::Style::compact) const;

    const RuntimeApp* find_app(const AppName& name) const noexcept;
    const Volume* find_volume(const VolumeName& name) const noexcept;
    bool operator==(const PodManifest&) const = default;
};

// Everything resolved: each app has an image id and an app; each mount names a volume; each mount point has a mount
// with its path; mounts of an app do not overlap (VOL-13); each exposed port leads to one port of one app, and no two
// of them meet on the host (POD-14, POD-16); what annotations say about starts can be done (app_policy.hh). Throws
// Kind::usage otherwise.
void check_reified(const PodManifest& pod);

// The volume that a mount stands for: its own, else the pod's of that name. Throws Kind::usage if there is none
// (VOL-3).
const Volume& volume_of(const PodManifest& pod, const Mount& mount);
// The port that is exposed: its own, else the one of that name in exactly one app. Throws Kind::usage otherwise
// (POD-14).
const Port& pod_port_of(const PodManifest& pod, const ExposedPort& exposed);
PublishedPort published_port(const PodManifest& pod, const ExposedPort& exposed);

} // namespace rocket::model
