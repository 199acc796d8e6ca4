// SPDX-License-Identifier: Apache-2.0
// How a user names an image: NAME[:VERSION][,LABEL=VALUE]... (cli 4.1). Values are literal.
// Errors: Kind::usage.
#pragma once

#include <string>
#include <string_view>

#include "common/model/labels.hh"

namespace rocket::model
{

struct ImageName {
    AcIdentifier name;
    Labels labels = {};

    static ImageName parse(std::string_view text);
    std::string str() const; // name:version,os=..,arch=..,others by name
    const std::string* version() const noexcept { return find(labels, "version"); }
    // With the host's os and arch where the user named none.
    ImageName for_host() const;
    bool operator==(const ImageName&) const = default;
};

} // namespace rocket::model
