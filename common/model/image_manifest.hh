// SPDX-License-Identifier: Apache-2.0
// The image manifest (chapter 4): what an image is called, what it depends on, how its app is run.
// Errors: Kind::corrupt with the place, such as: image.app has no "user".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/app.hh"
#include "common/model/labels.hh"
#include "common/model/names.hh"

namespace rocket::model
{

struct Dependency {
    AcIdentifier image_name;
    std::optional<ImageId> image_id = {};
    Labels labels = {};
    std::uint64_t size = 0; // bytes of the archive as transferred; 0: not stated (DEP-4, DEP-9)
    json::Frame unknown = {};
    bool operator==(const Dependency&) const = default;
};

struct ImageManifest {
    AcIdentifier name;
    AcVersion ac_version = AcVersion::ours();
    Labels labels = {};
    std::optional<App> app = {}; // none: it runs only if the pod brings an app (IM-4)
    Annotations annotations = {};
    std::vector<Dependency> dependencies = {};
    std::vector<std::string> path_whitelist = {}; // absolute; empty: no filter
    json::Frame unknown = {};

    static ImageManifest parse(std::string_view text);
    static ImageManifest from(const json::Cursor& cursor);
    json::Value json() const;
    // Throws rather than give out a manifest that would not be valid (RT-7).
    std::string write(json::Style style = json::Style::compact) const;

    // Says on sd_notify when it is ready (IM-9).
    bool supports_systemd_notify() const noexcept;
    bool operator==(const ImageManifest&) const = default;
};

} // namespace rocket::model
