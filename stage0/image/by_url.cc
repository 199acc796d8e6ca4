// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"
#include "stage0/image/remote.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

// An image from an explicit URL is called what it says itself (DISC-32).
model::ImageId acquire_from(Session& session, const UrlReference& reference, const Request& request)
{
    refuse_useless_signature(session, request);
    const auto url = fetch::Url::parse(reference.url);
    if (!url.path().ends_with(".aci"))
        throw Error{Error::Kind::usage, fmt::format("invalid image string {}", text::quoted(reference.url)),
                    "the path of a URL has to end in .aci"};
    return acquire_remote(session, remote_image(url), request);
}

} // namespace rocket::image
