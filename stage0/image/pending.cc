// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/pending.hh"

#include "common/sys/text.hh"
#include "stage0/image/source.hh"

namespace rocket::image
{

namespace
{

Pending open_pending(store::PendingImage files, store::PendingFacts facts, const std::string& source)
{
    oci::PendingContent content{files};
    auto document = content.document(facts.document, oci::largest_manifest);
    if (!store::matches(facts.document, document))
        fail(Error::Kind::corrupt, "its manifest has another digest");
    auto image = oci::resolve(content, document, facts.media_type, platform_of({.platform = facts.platform}));
    return {.files = std::move(files),
            .source = source,
            .facts = std::move(facts),
            .document = std::move(document),
            .image = std::move(image)};
}

} // namespace

bool take_over_layers(Session& session, const model::ImageId& id, const std::string& source)
{
    store::PendingImage files{session.store().open_hearsay(id)};
    auto facts = files.facts();
    if (!facts)
        return false;
    const auto reference = parse_reference(facts->reference, [](const std::string&) { return false; });
    const auto pending = open_pending(std::move(files), std::move(*facts), source);
    std::optional<model::ImageId> made;
    if (const auto* docker = std::get_if<DockerReference>(&reference))
        made = take_over(session, *docker, pending);
    else if (const auto* local = std::get_if<LocalReference>(&reference))
        made = take_over(session, *local, pending);
    else
        fail(Error::Kind::corrupt, "{} is no image of layers", text::quoted(pending.facts.reference));
    if (*made != id)
        fail(Error::Kind::untrusted, "what is in it is image {}", text::quoted(made->key()));
    return true;
}

} // namespace rocket::image
