// SPDX-License-Identifier: Apache-2.0
// An image at a URL (cli 4.4, 4.5, 4.7): taken from the store as long as the record of the URL says so, asked for with
// its ETag, downloaded with its signature and gone on with after an interruption.
// Errors: fetch::HttpError where another place for the same image may help; Kind::untrusted and Kind::corrupt for good.
#pragma once

#include <string>

#include "common/model/image_name.hh"
#include "stage0/fetch/url.hh"
#include "stage0/image/request.hh"
#include "stage0/image/session.hh"

namespace rocket::image
{

struct RemoteImage {
    fetch::Url url;
    fetch::Url signature;                       // of the detached signature
    const model::ImageName* expected = nullptr; // what it has to be called (DISC-31); null: anything
};

// The signature is at the same place, with .asc behind the path.
RemoteImage remote_image(const fetch::Url& url);

model::ImageId acquire_remote(Session& session, const RemoteImage& remote, const Request& request);

} // namespace rocket::image
