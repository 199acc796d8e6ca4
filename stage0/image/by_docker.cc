// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

model::ImageId acquire_from(Session&, const DockerReference& docker, const Request& request)
{
    refuse_signature(request);
    if (request.policy == PullPolicy::never)
        fail(Error::Kind::not_found, "{} is not in the local store", text::quoted(docker.text));
    throw Error{Error::Kind::unsupported,
                fmt::format("{}: this build cannot fetch docker images", text::quoted(docker.text)),
                "download the image and its signature, and give the path of the file"};
}

} // namespace rocket::image
