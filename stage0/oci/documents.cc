// SPDX-License-Identifier: Apache-2.0
#include "stage0/oci/documents.hh"

#include <algorithm>
#include <array>

#include "common/sys/text.hh"

namespace rocket::oci
{

namespace
{

namespace json = model::json;

struct MediaType {
    std::string_view name;
    MediaKind kind;
};

constexpr std::array media_types{
    MediaType{"application/vnd.oci.image.index.v1+json", MediaKind::index},
    MediaType{"application/vnd.docker.distribution.manifest.list.v2+json", MediaKind::index},
    MediaType{"application/vnd.oci.image.manifest.v1+json", MediaKind::manifest},
    MediaType{"application/vnd.docker.distribution.manifest.v2+json", MediaKind::manifest},
    MediaType{"application/vnd.oci.image.config.v1+json", MediaKind::config},
    MediaType{"application/vnd.docker.container.image.v1+json", MediaKind::config},
    MediaType{"application/vnd.oci.image.layer.v1.tar", MediaKind::layer},
    MediaType{"application/vnd.oci.image.layer.v1.tar+gzip", MediaKind::layer},
    MediaType{"application/vnd.oci.image.layer.v1.tar+zstd", MediaKind::layer},
    MediaType{"application/vnd.oci.image.layer.nondistributable.v1.tar", MediaKind::layer},
    MediaType{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MediaKind::layer},
    MediaType{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MediaKind::layer},
    MediaType{"application/vnd.docker.image.rootfs.diff.tar", MediaKind::layer},
    MediaType{"application/vnd.docker.image.rootfs.diff.tar.gzip", MediaKind::layer},
    MediaType{"application/vnd.docker.image.rootfs.diff.tar.zstd", MediaKind::layer},
    MediaType{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MediaKind::layer},
    MediaType{"application/vnd.docker.distribution.manifest.v1+json", MediaKind::schema1},
    MediaType{"application/vnd.docker.distribution.manifest.v1+prettyjws", MediaKind::schema1},
};

constexpr std::size_t most_entries = 10'000; // of an index
constexpr std::size_t most_layers = 500;     // what overlayfs can stack (R16)

json::Value parse_document(std::string_view text, std::string_view what)
{
    return json::parse(text, what, {.size = largest_manifest, .depth = 64});
}

Platform platform_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    Platform platform{.os = fields.required("os").text(), .architecture = fields.required("architecture").text()};
    platform.variant = fields.text_or("variant", "");
    for (const auto& feature : fields.items("os.features"))
        platform.os_features.push_back(feature.text());
    return platform;
}

void check_head(json::Fields& fields, const json::Cursor& cursor, MediaKind wanted)
{
    if (fields.required("schemaVersion").integer(0, INT64_MAX) != 2)
        cursor.fail(".schemaVersion is not 2");
    const auto type = fields.text_or("mediaType", "");
    if (!type.empty() && kind_of(type) != wanted)
        cursor.fail(fmt::format(" says that it is of the type {}", text::quoted(type)));
}

} // namespace

MediaKind kind_of(std::string_view media_type) noexcept
{
    const auto* found = std::ranges::find(media_types, media_type, &MediaType::name);
    return found == media_types.end() ? MediaKind::other : found->kind;
}

std::string accepted_manifests()
{
    std::string list;
    for (const auto& type : media_types)
        if (type.kind == MediaKind::index || type.kind == MediaKind::manifest)
            list += (list.empty() ? "" : ", ") + std::string{type.name};
    return list;
}

Descriptor Descriptor::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    Descriptor descriptor{.media_type = fields.required_text("mediaType").text(),
                          .digest = fields.required("digest").as<store::ContentDigest>()};
    descriptor.size = static_cast<std::uint64_t>(fields.required("size").integer(0, INT64_MAX));
    for (const auto& url : fields.items("urls"))
        descriptor.urls.push_back(url.text());
    if (const auto annotations = fields.optional("annotations"))
        descriptor.annotations = annotations->text_map();
    if (const auto platform = fields.optional("platform"))
        descriptor.platform = platform_from(*platform);
    return descriptor;
}

Index Index::parse(std::string_view text)
{
    const auto value = parse_document(text, "image index");
    const json::Cursor cursor{value, "index"};
    json::Fields fields{cursor};
    check_head(fields, cursor, MediaKind::index);
    Index index;
    const auto items = fields.required("manifests").items();
    if (items.size() > most_entries)
        cursor.fail(fmt::format(" has more than {} entries", most_entries));
    for (const auto& item : items)
        index.manifests.push_back(Descriptor::from(item));
    return index;
}

Manifest Manifest::parse(std::string_view text)
{
    const auto value = parse_document(text, "image manifest");
    const json::Cursor cursor{value, "manifest"};
    json::Fields fields{cursor};
    check_head(fields, cursor, MediaKind::manifest);
    Manifest manifest{.config = Descriptor::from(fields.required("config")), .layers = {}};
    const auto items = fields.required("layers").items();
    if (items.size() > most_layers)
        cursor.fail(fmt::format(" has more than {} layers", most_layers));
    if (kind_of(manifest.config.media_type) != MediaKind::config)
        fail(Error::Kind::unsupported, "this is no image, but something of the type {}",
             text::quoted(fields.text_or("artifactType", manifest.config.media_type)));
    for (const auto& item : items) {
        manifest.layers.push_back(Descriptor::from(item));
        const auto& type = manifest.layers.back().media_type;
        if (type.ends_with("+encrypted"))
            throw Error{Error::Kind::unsupported, fmt::format("{} is encrypted", item.place()),
                        "`skopeo copy --decryption-key` makes an image of it that can be read"};
        if (kind_of(type) != MediaKind::layer)
            fail(Error::Kind::unsupported, "{} has the unknown type {}", item.place(), text::quoted(type));
    }
    if (const auto annotations = fields.optional("annotations"))
        manifest.annotations = annotations->text_map();
    return manifest;
}

MediaKind document_kind(std::string_view text, std::string_view stated)
{
    const auto value = parse_document(text, "image document");
    if (value.object() == nullptr)
        fail(Error::Kind::corrupt, "the image document is {} instead of an object", value.type_name());
    const auto* type = value.find("mediaType");
    const std::string own = type != nullptr && type->string() != nullptr ? *type->string() : "";
    const auto stated_kind = kind_of(stated), own_kind = kind_of(own);
    if (stated_kind == MediaKind::schema1 || own_kind == MediaKind::schema1 || value.find("fsLayers") != nullptr)
        throw Error{Error::Kind::unsupported, "the image is in Docker's old format, schema 1",
                    "push it again with a tool of this decade"};
    const bool is_index = value.find("manifests") != nullptr;
    const bool is_manifest = value.find("config") != nullptr || value.find("layers") != nullptr;
    if (is_index && is_manifest)
        fail(Error::Kind::corrupt, "the image document is ambiguous: it is an index as well as a manifest");
    if (stated_kind != MediaKind::other && !own.empty() && stated != own)
        fail(Error::Kind::corrupt, "the image document says that it is of the type {}, but came as {}",
             text::quoted(own), text::quoted(stated));
    if (!is_index && !is_manifest)
        fail(Error::Kind::corrupt, "the image document is neither an index nor a manifest");
    const auto shape = is_index ? MediaKind::index : MediaKind::manifest;
    const auto said = own.empty() ? stated_kind : own_kind;
    if (said != MediaKind::other && said != shape)
        fail(Error::Kind::corrupt, "the image document is not of the type that it says");
    return shape;
}

} // namespace rocket::oci
