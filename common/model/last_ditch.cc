// SPDX-License-Identifier: Apache-2.0
#include "common/model/last_ditch.hh"

#include "common/model/json_object.hh"
#include "common/model/manifest_head.hh"

namespace rocket::model
{

namespace
{

const json::Value& member(const json::Value& object, std::string_view name)
{
    static const json::Value nothing;
    const auto* value = object.find(name);
    return value != nullptr ? *value : nothing;
}

std::string text(const json::Value& object, std::string_view name)
{
    const auto* string = member(object, name).string();
    return string != nullptr ? *string : std::string{};
}

const json::Array& items(const json::Value& object, std::string_view name)
{
    static const json::Array nothing;
    const auto* array = member(object, name).array();
    return array != nullptr ? *array : nothing;
}

std::map<std::string, std::string> labels(const json::Value& object)
{
    std::map<std::string, std::string> labels;
    for (const auto& label : items(object, "labels"))
        if (auto name = text(label, "name"); !name.empty())
            labels.emplace(std::move(name), text(label, "value"));
    return labels;
}

json::Value value_of_kind(std::string_view text, std::string_view kind)
{
    auto value = json::parse(text, "manifest");
    json::Fields fields{{value, "manifest"}};
    check_kind(fields, kind);
    return value;
}

} // namespace

LastDitchImage last_ditch_image(std::string_view manifest)
{
    const auto value = value_of_kind(manifest, "ImageManifest");
    return {.ac_version = text(value, "acVersion"), .name = text(value, "name"), .labels = labels(value)};
}

LastDitchPod last_ditch_pod(std::string_view manifest)
{
    const auto value = value_of_kind(manifest, "PodManifest");
    LastDitchPod pod{.ac_version = text(value, "acVersion")};
    for (const auto& app : items(value, "apps")) {
        const auto& image = member(app, "image");
        pod.apps.push_back({.name = text(app, "name"),
                            .image_name = text(image, "name"),
                            .image_id = text(image, "id"),
                            .labels = labels(image)});
    }
    return pod;
}

} // namespace rocket::model
