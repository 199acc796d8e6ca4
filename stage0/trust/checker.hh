// SPDX-License-Identifier: Apache-2.0
// Runs the verify worker (stage0/verify), which alone parses OpenPGP data. Errors: the worker's, or Kind::system if it
// cannot be run or does not answer in time.
#pragma once

#include <string>
#include <vector>

#include "stage0/verify/protocol.hh"

namespace rocket::trust
{

// The larger the archive, the longer it may take.
verify::Checked check_signature(std::vector<verify::NamedKey> keys, std::string signature, int archive);
verify::Checked open_message(std::vector<verify::NamedKey> keys, std::string message);
std::vector<verify::ListedKey> list_keys(std::string key_file);

} // namespace rocket::trust
