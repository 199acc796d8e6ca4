// SPDX-License-Identifier: Apache-2.0
// Pods for the commands about apps of mutable pods (cli 8.17).
#pragma once

#include <string>

#include "stage0/pod/pod.hh"

namespace rocket::cli
{

// pod "U" isn't currently running; supervisor for pod "U" is not yet ready.
pod::Pod find_running_pod(const model::Layout& layout, const std::string& uuid);
void check_is_running(const pod::Pod& pod);

} // namespace rocket::cli
