// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

model::ImageId acquire_from(Session&, const UrlReference& url, const Request& request)
{
    refuse_signature(request);
    if (request.policy == PullPolicy::never)
        fail(Error::Kind::not_found, "{} is not in the local store", text::quoted(url.url));
    throw Error{Error::Kind::unsupported, fmt::format("{}: this build cannot fetch URLs", text::quoted(url.url)),
                "download the image and its signature, and give the path of the file"};
}

} // namespace rocket::image
