// SPDX-License-Identifier: Apache-2.0
// From unit files in the syntax of podman's Quadlet to units of systemd that run `rocket`. Pure: what files there are
// comes in, what units there are to be goes out. A file that cannot be translated becomes a service that fails and
// says why, so that whoever starts it, or boots with it, is told.
#pragma once

#include <string>
#include <vector>

#include "stage0/quadlet/unit_file.hh"

namespace rocket::quadlet
{

struct Unit {
    std::string name; // "web.service"
    std::string path; // of the file it was made from
    std::string text;
    bool auto_update = false;       // AutoUpdate=registry: `rocket update --all` is about it, too
    std::vector<std::string> links; // names beside it that are to point to it: "multi-user.target.wants/web.service"
};

struct Problem {
    std::string path; // of the file that is not translated
    std::string text; // "FILE:LINE: ..."
};

struct Translation {
    std::vector<Unit> units; // by name
    std::vector<Problem> problems;
};

// `rocket`: the program that units run, an absolute path.
Translation translate(const std::vector<UnitFile>& files, const std::string& rocket);

} // namespace rocket::quadlet
