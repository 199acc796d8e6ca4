// SPDX-License-Identifier: Apache-2.0
// What a stage1 of an older interface does not understand (internals 3.2, rocket-stage1(7)). Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rocket::pod
{

// Of the annotation coreos.com/rkt/stage1/interface-version; 1 if there is none. Kind::corrupt if it is no number.
int interface_version(std::string_view manifest_text);

// The arguments of `run` that a stage1 of that version takes. One that changes nothing but what the pod looks like is
// left out with a warning; leaving out one that was to lift a restriction is refused, as Kind::unsupported: nothing
// that concerns security is ever dropped in silence (internals S20).
std::vector<std::string> understood(std::vector<std::string> arguments, int version,
                                    const std::function<void(const std::string&)>& warn);

} // namespace rocket::pod
