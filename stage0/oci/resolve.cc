// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/resolve.hh"

#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

constexpr int deepest_index = 8; // OIDX-8

std::string verified_document(Content& content, const Descriptor& descriptor, std::uint64_t limit,
                              std::string_view what)
{
    const auto name = fmt::format("{} {}", what, descriptor.digest.str()); // OMAP-12
    if (descriptor.size > limit)
        fail(Error::Kind::corrupt, "{} is larger than {} bytes", name, limit);
    auto text = with_context(name, [&] { return content.document(descriptor, limit); });
    if (text.size() != descriptor.size)
        fail(Error::Kind::corrupt, "{} has {} bytes instead of {}", name, text.size(), descriptor.size);
    if (!store::matches(descriptor.digest, text))
        fail(Error::Kind::corrupt, "{} has another digest", name);
    return text;
}

ResolvedImage from_manifest(Content& content, const std::string& text)
{
    const auto manifest = Manifest::parse(text);
    ResolvedImage image{.manifest = text,
                        .config = verified_document(content, manifest.config, largest_config, "configuration"),
                        .parsed = {},
                        .layers = {},
                        .annotations = manifest.annotations};
    image.parsed = ImageConfig::parse(image.config);
    for (const auto& layer : manifest.layers)
        image.layers.push_back({.digest = layer.digest, .size = layer.size, .urls = layer.urls});
    check_layers(image);
    return image;
}

ResolvedImage from_index(Content& content, const Index& index, const Platform& host, int depth);

ResolvedImage from_document(Content& content, const std::string& text, std::string_view stated, const Platform& host,
                            int depth)
{
    if (depth > deepest_index)
        fail(Error::Kind::corrupt, "the image has more than {} indexes one inside the other", deepest_index);
    if (document_kind(text, stated) == MediaKind::index)
        return from_index(content, Index::parse(text), host, depth + 1);
    return from_manifest(content, text);
}

ResolvedImage from_index(Content& content, const Index& index, const Platform& host, int depth)
{
    std::optional<Error> problem;
    for (const auto& entry : select(index, host)) {
        const auto text = verified_document(content, entry, largest_manifest, "manifest");
        try {
            auto image = from_document(content, text, entry.media_type, host, depth);
            if (entry.platform || index.manifests.size() == 1 || is_among_wanted(image.parsed.platform, host))
                return image;
        } catch (const Error& error) {
            if (entry.platform || error.kind() != Error::Kind::not_found)
                throw;
            problem = error;
        }
    }
    if (problem)
        throw *problem;
    fail(Error::Kind::not_found, "the image is not there for {}/{}", host.os, host.architecture);
}

} // namespace

void check_layers(const ResolvedImage& image)
{
    if (image.layers.size() != image.parsed.diff_ids.size())
        fail(Error::Kind::corrupt, "the image has {} layers, but its configuration knows {}", image.layers.size(),
             image.parsed.diff_ids.size());
    if (image.layers.empty())
        fail(Error::Kind::unsupported, "the image has no layers, so there is nothing to run");
}

ResolvedImage resolve(Content& content, const Index& start, const Platform& host)
{
    return from_index(content, start, host, 0);
}

ResolvedImage resolve(Content& content, const std::string& document, std::string_view stated, const Platform& host)
{
    return from_document(content, document, stated, host, 0);
}

} // namespace rocket::oci
