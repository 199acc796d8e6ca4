// SPDX-License-Identifier: Apache-2.0
#include "common/model/image_manifest.hh"

#include "common/model/manifest_head.hh"

namespace rocket::model
{

namespace
{

Dependency dependency_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    Dependency dependency{.image_name = fields.required_text("imageName").as<AcIdentifier>()};
    if (const auto id = fields.optional("imageID"))
        dependency.image_id = id->as<ImageId>();
    dependency.labels = labels_from(fields.items("labels"));
    if (const auto size = fields.optional("size"))
        dependency.size = static_cast<std::uint64_t>(size->integer(0, INT64_MAX));
    dependency.unknown = fields.rest();
    return dependency;
}

json::Value to_json(const std::vector<Dependency>& dependencies)
{
    json::Array array;
    for (const auto& dependency : dependencies)
        array.push_back(json::ObjectWriter{dependency.unknown}
                            .set("imageName", dependency.image_name.str())
                            .set_text("imageID", dependency.image_id ? dependency.image_id->digest() : "")
                            .set_if(!dependency.labels.empty(), "labels", to_json(dependency.labels))
                            .set_if(dependency.size != 0, "size", dependency.size)
                            .done());
    return array;
}

} // namespace

ImageManifest ImageManifest::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    check_kind(fields, "ImageManifest");
    const auto version = fields.required_text("acVersion");
    ImageManifest manifest{.name = fields.required_text("name").as<AcIdentifier>(),
                           .ac_version = version.as<AcVersion>(),
                           .labels = labels_from(fields.items("labels"))};
    version.at_place([&] { manifest.ac_version.check_understood(); });
    if (const auto app = fields.optional("app"))
        manifest.app = App::from(*app);
    manifest.annotations = annotations_from(fields.items("annotations"));
    for (const auto& item : fields.items("dependencies"))
        manifest.dependencies.push_back(dependency_from(item));
    for (const auto& item : fields.items("pathWhitelist"))
        manifest.path_whitelist.push_back(item.text());
    manifest.unknown = fields.rest();
    return manifest;
}

ImageManifest ImageManifest::parse(std::string_view text)
{
    const auto value = json::parse(text, "image manifest");
    return from({value, "image"});
}

json::Value ImageManifest::json() const // order and omissions: RT-5, RT-6
{
    return json::ObjectWriter{unknown}
        .set("acKind", "ImageManifest")
        .set("acVersion", ac_version.str())
        .set("name", name.str())
        .set_if(!labels.empty(), "labels", to_json(labels))
        .set_if(app.has_value(), "app", app ? app->json() : json::Value{})
        .set_if(!annotations.empty(), "annotations", to_json(annotations))
        .set_if(!dependencies.empty(), "dependencies", to_json(dependencies))
        .set_if(!path_whitelist.empty(), "pathWhitelist", json::to_json(path_whitelist))
        .done();
}

std::string ImageManifest::write(json::Style style) const
{
    const auto value = json();
    from({value, "image"}); // the one validator is the reader (RT-7)
    return json::write(value, style);
}

bool ImageManifest::supports_systemd_notify() const noexcept
{
    const auto* value = find(annotations, "appc.io/executor/supports-systemd-notify");
    return value != nullptr && *value == "true";
}

} // namespace rocket::model
