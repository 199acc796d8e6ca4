// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/allowed.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

// An id names exactly one image: it is in the store, or nowhere.
model::ImageId acquire_from(Session& session, const model::ImageIdPrefix& prefix, const Request& request)
{
    refuse_signature(request);
    auto id = session.store().find(prefix);
    session.take_over(id);
    require_allowed(session, id);
    return id;
}

} // namespace rocket::image
