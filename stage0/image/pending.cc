// SPDX-License-Identifier: Apache-2.0
#include "stage0/image/pending.hh"

#include "common/sys/text.hh"
#include "stage0/image/source.hh"
#include "stage0/oci/docker_archive.hh"

namespace rocket::image
{

namespace
{

bool is_saved(const Reference& reference)
{
    const auto* local = std::get_if<LocalReference>(&reference);
    return local != nullptr && local->format == LocalReference::Format::docker_archive;
}

// Of docker save, there is a configuration and nothing before it.
oci::ResolvedImage resolve_saved(const std::string& config)
{
    std::vector<std::string> layers;
    for (const auto& diff_id : oci::ImageConfig::parse(config).diff_ids)
        layers.push_back(store::PendingImage::layer_name(diff_id));
    return oci::resolve_saved(config, layers);
}

Pending open_pending(store::PendingImage files, store::PendingFacts facts, const Reference& reference,
                     const std::string& source)
{
    oci::PendingContent content{files};
    auto document = content.document(facts.document, is_saved(reference) ? oci::largest_config : oci::largest_manifest);
    if (!store::matches(facts.document, document))
        fail(Error::Kind::corrupt, "its manifest has another digest");
    auto image = is_saved(reference)
                     ? resolve_saved(document)
                     : oci::resolve(content, document, facts.media_type, platform_of({.platform = facts.platform}));
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
    const auto pending = open_pending(std::move(files), std::move(*facts), reference, source);
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
