// SPDX-License-Identifier: Apache-2.0
#include "common/model/pod_manifest.hh"

#include <algorithm>
#include <unordered_set>

#include "common/model/json_list.hh"
#include "common/model/manifest_head.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

namespace
{

constexpr std::size_t max_apps = 256; // R16

ImageReference image_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    ImageReference image;
    if (const auto name = fields.optional("name"))
        image.name = name->as<AcIdentifier>();
    if (const auto id = fields.optional("id"))
        image.id = id->as<ImageId>();
    image.labels = labels_from(fields.items("labels"));
    image.unknown = fields.rest();
    return image;
}

json::Value to_json(const ImageReference& image)
{
    return json::ObjectWriter{image.unknown}
        .set_text("name", image.name ? image.name->str() : "")
        .set_text("id", image.id ? image.id->digest() : "")
        .set_if(!image.labels.empty(), "labels", to_json(image.labels))
        .done();
}

RuntimeApp app_from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    RuntimeApp app{.name = fields.required_text("name").as<AppName>(), .image = image_from(fields.required("image"))};
    if (const auto override = fields.optional("app"))
        app.app = App::from(*override);
    app.read_only_root_fs = fields.boolean_or("readOnlyRootFS", false);
    for (const auto& item : fields.items("mounts"))
        app.mounts.push_back(Mount::from(item));
    app.annotations = annotations_from(fields.items("annotations"));
    app.unknown = fields.rest();
    return app;
}

// Items with unique names.
template <typename Read>
auto named_list(const std::vector<json::Cursor>& items, Read read)
{
    std::vector<decltype(read(items.front()))> list;
    std::unordered_set<AcName> seen;
    for (const auto& item : items) {
        list.push_back(read(item));
        if (!seen.insert(list.back().name).second)
            item.fail(fmt::format(": there is another {}", text::quoted(list.back().name.str())));
    }
    return list;
}

std::vector<RuntimeApp> apps_from(json::Fields& fields, const json::Cursor& pod)
{
    const auto apps = fields.present("apps");
    if (!apps)
        pod.fail(" has no \"apps\"");
    if (apps->value().is_null()) // as written by others for an empty list (RT-6)
        return {};
    const auto items = apps->items();
    if (items.size() > max_apps)
        apps->fail(fmt::format(" has {} entries, the limit is {}", items.size(), max_apps));
    return named_list(items, app_from);
}

std::map<std::string, std::string> map_from(const std::optional<json::Cursor>& cursor)
{
    return cursor ? cursor->text_map() : std::map<std::string, std::string>{};
}

template <typename List, typename Name>
auto find_named(const List& list, const Name& name) noexcept
{
    const auto found = std::ranges::find(list, name, &List::value_type::name);
    return found == list.end() ? nullptr : &*found;
}

} // namespace

json::Value RuntimeApp::json() const // order: RT-5
{
    return json::ObjectWriter{unknown}
        .set("name", name.str())
        .set("image", to_json(image))
        .set_if(app.has_value(), "app", app ? app->json() : json::Value{})
        .set_if(read_only_root_fs, "readOnlyRootFS", true)
        .set_if(!mounts.empty(), "mounts", json::list_of(mounts))
        .set_if(!annotations.empty(), "annotations", to_json(annotations))
        .done();
}

PodManifest PodManifest::from(const json::Cursor& cursor)
{
    json::Fields fields{cursor};
    check_kind(fields, "PodManifest");
    PodManifest pod{.ac_version = fields.required_text("acVersion").as<AcVersion>(),
                    .apps = apps_from(fields, cursor),
                    .volumes = named_list(fields.items("volumes"), Volume::from),
                    .isolators = Isolators::from(fields.items("isolators")),
                    .annotations = annotations_from(fields.items("annotations"))};
    for (const auto& item : fields.items("ports"))
        pod.ports.push_back(ExposedPort::from(item));
    pod.user_annotations = map_from(fields.optional("userAnnotations"));
    pod.user_labels = map_from(fields.optional("userLabels"));
    pod.unknown = fields.rest();
    // rkt states its own version, such as 1.30.0, in the pods it generates (cli Q23); what is in them is ours.
    if (pod.ac_version.major_number() > AcVersion::ours().major_number())
        pod.ac_version = AcVersion::ours();
    return pod;
}

PodManifest PodManifest::parse(std::string_view text)
{
    const auto value = json::parse(text, "pod manifest");
    return from({value, "pod"});
}

json::Value PodManifest::json() const // order and omissions: RT-5, RT-6
{
    return json::ObjectWriter{unknown}
        .set("acVersion", ac_version.str())
        .set("acKind", "PodManifest")
        .set("apps", json::list_of(apps))
        .set("volumes", json::list_of(volumes))
        .set("isolators", to_json(isolators))
        .set("annotations", to_json(annotations))
        .set("ports", json::list_of(ports))
        .set_if(!user_annotations.empty(), "userAnnotations", json::to_json(user_annotations))
        .set_if(!user_labels.empty(), "userLabels", json::to_json(user_labels))
        .done();
}

std::string PodManifest::write(json::Style style) const
{
    const auto value = json();
    from({value, "pod"}); // the one validator is the reader (RT-7)
    return json::write(value, style);
}

const RuntimeApp* PodManifest::find_app(const AppName& name) const noexcept
{
    return find_named(apps, name);
}
const Volume* PodManifest::find_volume(const VolumeName& name) const noexcept
{
    return find_named(volumes, name);
}

} // namespace rocket::model
