// SPDX-License-Identifier: Apache-2.0
// Where a layer touches the layers below it and cannot say it in files alone. The worker that unpacks a layer knows
// nothing but the layer, and has no privilege on the host; the broker, which knows what lies below, does the rest with
// this (OLYR-5, -8, -10, -13).
// All paths are relative and clean; "" is the root. Errors: Kind::corrupt.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::unpack
{

struct Seams {
    std::vector<std::string> implied = {};         // directories without an entry: attributes come from below
    std::vector<std::string> opaque = {};          // directories that hide what is below
    std::vector<std::string> whiteouts = {};       // what is taken away from below
    std::map<std::string, std::string> links = {}; // new names of files below: path -> target
    struct Device {
        char type = 'c'; // or 'b'
        unsigned major = 0;
        unsigned minor = 0;
        bool operator==(const Device&) const = default;
    };
    std::map<std::string, Device> devices = {}; // nodes, of which the tree has only a stand-in: a white-out
    bool operator==(const Seams&) const = default;

    static Seams parse(std::string_view bytes);
    std::string write() const;
};

} // namespace rocket::unpack
