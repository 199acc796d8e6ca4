// SPDX-License-Identifier: Apache-2.0
// What can still be read from a manifest that is not valid: plain, unchecked strings, for reports of errors and for
// removing pods that nothing else understands (RT-8). What is missing or of another type is empty. Errors:
// Kind::corrupt if it is not JSON at all, or of the other kind.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::model
{

struct LastDitchImage {
    std::string ac_version, name;
    std::map<std::string, std::string> labels;
};

struct LastDitchPod {
    struct App {
        std::string name, image_name, image_id;
        std::map<std::string, std::string> labels;
    };
    std::string ac_version;
    std::vector<App> apps;
};

LastDitchImage last_ditch_image(std::string_view text);
LastDitchPod last_ditch_pod(std::string_view text);

} // namespace rocket::model
