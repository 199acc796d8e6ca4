// SPDX-License-Identifier: Apache-2.0
// What the apps of a pod have written, out of its journal, a line per line.
#pragma once

#include <v1alpha.pb.h>

#include <functional>
#include <string>
#include <vector>

#include "stage0/pod/pod.hh"

namespace rocket::api
{

// `send` is called with what there is, and now and then with nothing; false: nobody reads any more. With `follow` until
// the pod has ended. Kind::unsupported if the pod has no journal at all (fly).
void send_logs(pod::Pod pod, const v1alpha::GetLogsRequest& request,
               const std::function<bool(const std::vector<std::string>& lines)>& send);

} // namespace rocket::api
