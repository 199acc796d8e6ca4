// SPDX-License-Identifier: Apache-2.0
// Before root uses an image of layers that a member of the group has fetched (store/pending.hh): everything is looked
// at as if it came from a registry, the documents from the first to the configuration, the signatures, and last the
// layers as they are unpacked. Errors: Kind::corrupt, Kind::untrusted, Kind::not_found.
#pragma once

#include "stage0/image/reference.hh"
#include "stage0/image/session.hh"
#include "stage0/oci/import_pending.hh"

namespace rocket::image
{

struct Pending {
    store::PendingImage files;
    std::string source; // in words, for the record of what was not signed
    store::PendingFacts facts;
    std::string document;     // that the reference meant
    oci::ResolvedImage image; // documents only, each with the digest that the one before says
};

// False: it is no such image. An image that is found to have another id than the member said is Kind::untrusted.
bool take_over_layers(Session& session, const model::ImageId& id, const std::string& source);

// By what was asked for: decides whether it may come in, and makes an image of root's of it.
model::ImageId take_over(Session& session, const DockerReference& docker, const Pending& pending); // by_docker.cc
model::ImageId take_over(Session& session, const LocalReference& local, const Pending& pending);   // by_local.cc

} // namespace rocket::image
