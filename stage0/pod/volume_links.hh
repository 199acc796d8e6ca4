// SPDX-License-Identifier: Apache-2.0
// Symbolic links on the way to the host's side of a volume, for whoever asks for them to be followed (VOL-15): each
// source is replaced by the place that it stands for now. The pod gets that one and follows no link any more, so that
// nobody can lead it elsewhere later. A link counts only if it belongs to root or to `user`: others could have made it
// to show an app what is not theirs to give.
// Errors: Kind::not_found; Kind::untrusted for another user's link.
#pragma once

#include <sys/types.h>

#include "common/model/pod_manifest.hh"

namespace rocket::pod
{

std::string without_links(const std::string& path, uid_t user); // an absolute path; the same place

void follow_volume_links(model::PodManifest& manifest, uid_t user);
void follow_volume_links(std::vector<model::Mount>& mounts, uid_t user); // of volumes of the app's own

} // namespace rocket::pod
