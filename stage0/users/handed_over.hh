// SPDX-License-Identifier: Apache-2.0
// A state directory that another user had before: DynamicUser= may give a unit another user at each start, and systemd
// then makes every file in its state directory that user's, whoever's it was inside of a pod.
#pragma once

#include <string>

namespace rocket::users
{

// To be called as root of a namespace of ours, before the store in `data_dir` is used. If its files were last used with
// other ids, then the trees of images have lost their owners: they go, to be rendered again when they are needed.
void take_over(const std::string& data_dir);

} // namespace rocket::users
