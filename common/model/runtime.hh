// SPDX-License-Identifier: Apache-2.0
// runtime.json in the pod directory: what stage1 has to know and the pod manifest does not say. Written by stage0, read
// by stage1. Errors: Kind::corrupt with the place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/names.hh"

namespace rocket::model
{

struct Runtime {
    struct App {
        AppName name;
        ImageId image;
        std::vector<std::string> trees; // the image's, absolute, the topmost first: the layers below the app's own
        bool operator==(const App&) const = default;
    };

    std::string stage1_rootfs;                // absolute
    std::optional<ImageId> stage1_image = {}; // whose tree that is; nullopt: an installed directory
    bool overlay = true;                      // false: apps/<app>/rootfs holds a copy
    std::vector<App> apps = {};

    static Runtime parse(std::string_view text);
    std::string write() const;
    const App* find(const AppName& name) const noexcept;
    bool operator==(const Runtime&) const = default;
};

} // namespace rocket::model
