// SPDX-License-Identifier: Apache-2.0
// Where each piece of an app comes from: the image, a flag, the pod manifest that the user gave, or nobody, which is
// Rocket's default. Found out while the pod is made, when it is known, and kept in the pod directory for `rocket
// explain`. Values of variables are not in it. Errors: Kind::corrupt.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/pod_manifest.hh"
#include "stage0/pod/image.hh"
#include "stage0/pod/request.hh"

namespace rocket::pod
{

// In the pod directory.
inline constexpr const char* origins_file = "origins.json";

std::string added_origins_directory(const model::AppName& app); // of one that was added later: it goes with the app

struct Origin {
    std::string what;  // "user", "capabilities", "volume data"
    std::string value; // as the pod manifest has it
    std::string from;  // "image", "flag", "pod manifest", "default"
    std::string by;    // the flag, the annotation, the file; may be empty
    bool operator==(const Origin&) const = default;
};
using Origins = std::map<std::string, std::vector<Origin>>; // by app, in the order in which they are shown

// `manifest`: what reify() has made of the other two.
Origins origins_of(const PodRequest& request, const std::vector<Image>& images, const model::PodManifest& manifest);
// Of an app that is added to a running pod, the manifest's last.
Origins origins_of_added(const AppRequest& wanted, const Image& image, const model::PodManifest& manifest);
// All is as the user's own manifest, a file, has it.
Origins origins_of(const model::PodManifest& manifest, const std::string& path);

std::string write(const Origins& origins);
Origins read_origins(std::string_view json);

} // namespace rocket::pod
