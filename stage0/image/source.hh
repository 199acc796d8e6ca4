// SPDX-License-Identifier: Apache-2.0
// Where images come from, one file per kind of reference. Each function turns a reference into an image in the store
// that may be used under the session's policy: found there, or fetched, verified and published by Session::admit().
// To add a kind of reference: a type in reference.hh, a function here, a file of its own.
// Errors: Kind::not_found, Kind::untrusted, Kind::usage, Kind::unsupported.
#pragma once

#include <string>

#include "stage0/image/reference.hh"
#include "stage0/image/request.hh"
#include "stage0/image/session.hh"
#include "stage0/oci/select.hh"

namespace rocket::image
{

model::ImageId acquire_from(Session& session, const model::ImageIdPrefix& prefix, const Request& request); // by_id.cc
model::ImageId acquire_from(Session& session, const model::ImageName& name, const Request& request);       // by_name.cc
model::ImageId acquire_from(Session& session, const FileReference& file, const Request& request);          // by_file.cc
model::ImageId acquire_from(Session& session, const UrlReference& url, const Request& request);            // by_url.cc
model::ImageId acquire_from(Session& session, const DockerReference& docker, const Request& request);  // by_docker.cc
model::ImageId acquire_from(Session& session, const LocalReference& local, const Request& request);    // by_local.cc
model::ImageId acquire_from(Session& session, const DistributionPoint& point, const Request& request); // by_point.cc

// A file that has to be the image of that name; its signature is next to it.
model::ImageId acquire_file(Session& session, const std::string& path, const Request& request,
                            const model::ImageName& expected);

// Throws Kind::usage if --signature was given: it goes only with what is fetched as a file.
void refuse_signature(const Request& request);
// The same if signatures are not looked at.
void refuse_useless_signature(const Session& session, const Request& request);
// What the request wants a Docker or OCI image to be for; the host, if it does not say.
oci::Platform platform_of(const Request& request);
// Throws Kind::not_found if the request names a platform and the image is for another.
void check_platform(const oci::Platform& platform, const Request& request);
// Kind::untrusted if it cannot be read: without a signature there is no point in going on.
std::string read_signature_file(const std::string& path);

// What the record of an image says that was fetched by that reference.
std::string source_of(const DockerReference& docker);
std::string source_of(const LocalReference& local);

} // namespace rocket::image
