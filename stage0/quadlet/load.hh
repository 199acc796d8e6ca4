// SPDX-License-Identifier: Apache-2.0
// The files to be translated, from where administrators, programs and the distribution put them, with the rules of
// systemd.unit(5): of two files with one name that of the earlier directory counts, a link to /dev/null masks it, and
// *.conf add to it: those in NAME.d, of an instance in its template's, in PREFIX-.TYPE.d and in TYPE.d. A file that
// cannot be read is in the list, with its problem.
#pragma once

#include <string>
#include <vector>

#include "stage0/quadlet/translate.hh"

namespace rocket::quadlet
{

const std::vector<std::string>& standard_directories();
std::vector<UnitFile> load(const std::vector<std::string>& directories);

// Writes units and links to a directory for systemd to read (systemd.generator(7)).
void write_units(const std::vector<Unit>& units, const std::string& directory);

} // namespace rocket::quadlet
