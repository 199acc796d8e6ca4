// SPDX-License-Identifier: Apache-2.0
// Whether an image of the store that root believes may be used now, on the grounds that it was let in on: the key that
// signed it is still trusted for its name and, of a Docker or OCI image, the host's policy still allows the reference
// that it was fetched by. Whoever names an image by its id gets no more than by its name. Errors: Kind::untrusted.
#pragma once

#include "stage0/image/reference.hh"
#include "stage0/image/session.hh"

namespace rocket::image
{

void require_allowed(Session& session, const model::ImageId& id);

// By the reference that it was fetched by.
void require_allowed(Session& session, const DockerReference& docker, const store::Record& record); // by_docker.cc
void require_allowed(Session& session, const LocalReference& local, const store::Record& record);   // by_local.cc

} // namespace rocket::image
