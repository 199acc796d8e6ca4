// SPDX-License-Identifier: Apache-2.0
// .network files: the CNI network that a [Network] section stands for (CNI 1.0, a configuration list). Pure.
// Errors: Kind::usage, "FILE:LINE: ...".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stage0/quadlet/unit_file.hh"

namespace rocket::quadlet
{

std::string network_name(const UnitFile& file); // NetworkName=, else as the file
// JSON in one line. `files`: all there are, so that networks without Subnet= get different ones.
std::string network_configuration(const UnitFile& file, const std::vector<UnitFile>& files);

std::vector<std::string_view> network_keys(); // those that are understood, by name

} // namespace rocket::quadlet
