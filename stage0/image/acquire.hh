// SPDX-License-Identifier: Apache-2.0
// From what a user typed for IMAGE to an image in the store that may be run: found there, or fetched (cli 4). The kinds
// of places that images come from are in source.hh. Errors: Kind::not_found, Kind::untrusted, Kind::usage,
// Kind::unsupported for sources that this build cannot fetch from.
#pragma once

#include <string>

#include "stage0/image/request.hh"
#include "stage0/image/session.hh"

namespace rocket::image
{

class Acquirer
{
public:
    // `verifier` may be null: then signatures are not looked at (--insecure-options=image).
    Acquirer(store::Store& store, Verifier* verifier, Network& network, Hooks hooks = {});

    model::ImageId acquire(const Request& request);
    void take_over(const model::ImageId& id); // Session::take_over()

private:
    void use_policy(PullPolicy policy);

    Session session_;
};

// For the `image` subcommands: an image id, a prefix of one, a name, or the URL or reference that it was fetched by,
// looked up in the store only, whatever it was verified to.
model::ImageId find_in_store(const store::Store& store, const std::string& image);

} // namespace rocket::image
