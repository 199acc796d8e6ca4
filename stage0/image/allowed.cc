// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/allowed.hh"

namespace rocket::image
{

namespace
{

// As it was fetched. What root has taken over without a signature came from "the store", but was asked for by a name.
std::optional<Reference> reference_of(const store::Record& record)
{
    const auto no_file = [](const std::string&) { return false; };
    for (const auto& text : {record.source, record.requested})
        try {
            auto reference = parse_reference(text, no_file);
            if (std::holds_alternative<DockerReference>(reference) || std::holds_alternative<LocalReference>(reference))
                return reference;
        } catch (const Error&) { // words, such as who put it there
        }
    return std::nullopt;
}

} // namespace

void require_allowed(Session& session, const model::ImageId& id)
{
    const auto record = session.store().record(id);
    const auto reference = record.is_layered() ? reference_of(record) : std::nullopt;
    const auto* docker = reference ? std::get_if<DockerReference>(&*reference) : nullptr;
    const auto* local = reference ? std::get_if<LocalReference>(&*reference) : nullptr;
    if (docker != nullptr)
        require_allowed(session, *docker, record);
    else if (local != nullptr)
        require_allowed(session, *local, record);
    else
        session.require_verified(id);
}

} // namespace rocket::image
