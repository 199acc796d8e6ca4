// SPDX-License-Identifier: Apache-2.0
#include "common/model/labels.hh"

#include <algorithm>
#include <unordered_set>

#include "common/model/platform.hh"
#include "common/model/well_known.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

const std::string* find(const std::vector<Property>& list, std::string_view name) noexcept
{
    const auto entry = std::ranges::find_if(list, [&](const Property& property) { return property.name == name; });
    return entry == list.end() ? nullptr : &entry->value;
}

void set(std::vector<Property>& list, const AcIdentifier& name, std::string value)
{
    const auto entry = std::ranges::find(list, name, &Property::name);
    if (entry == list.end())
        list.push_back({name, std::move(value)});
    else
        entry->value = std::move(value);
}

Annotations merged(Annotations base, const Annotations& over)
{
    for (const auto& annotation : over)
        set(base, annotation.name, annotation.value);
    return base;
}

bool satisfies(const Labels& have, const Labels& wanted) noexcept
{
    return std::ranges::all_of(wanted, [&](const Label& label) {
        const auto* value = find(have, label.name.str());
        return value != nullptr && *value == label.value;
    });
}

namespace
{

std::vector<Property> properties_from(const std::vector<json::Cursor>& items)
{
    std::vector<Property> list;
    std::unordered_set<AcIdentifier> names;
    for (const auto& item : items) {
        json::Fields fields{item};
        Property property{.name = fields.required_text("name").as<AcIdentifier>(),
                          .value = fields.text_or("value", "")};
        property.unknown = fields.rest();
        if (!names.insert(property.name).second)
            item.fail(fmt::format(": there is another {}", text::quoted(property.name.str())));
        list.push_back(std::move(property));
    }
    return list;
}

// Throws Kind::usage if the value of a well-known annotation has not its format (TYP-28).
void check_annotation(const Annotation& annotation)
{
    const auto refuse = [&](std::string_view wanted) {
        fail(Error::Kind::usage, "annotation \"{}\" is not {}: {}", annotation.name.str(), wanted,
             text::quoted(annotation.value));
    };
    if (annotation.name == "created" && !is_date(annotation.value))
        refuse("a date such as 2024-02-29T12:00:00Z");
    if ((annotation.name == "homepage" || annotation.name == "documentation") && !is_web_url(annotation.value))
        refuse("an http or https URL");
}

} // namespace

void check_labels(const Labels& labels)
{
    if (find(labels, "name") != nullptr)
        fail(Error::Kind::usage, "a label cannot be called \"name\"");
    if (const auto* os = find(labels, "os")) {
        const auto* arch = find(labels, "arch");
        check_platform(*os, arch != nullptr ? std::optional<std::string_view>{*arch} : std::nullopt);
    }
}

Labels labels_from(const std::vector<json::Cursor>& items)
{
    auto labels = properties_from(items);
    for (std::size_t i = 0; i < labels.size(); ++i)
        if (labels[i].name == "name" || labels[i].name == "os")
            items[i].at_place([&] { check_labels(labels); });
    return labels;
}

Annotations annotations_from(const std::vector<json::Cursor>& items)
{
    auto annotations = properties_from(items);
    for (std::size_t i = 0; i < annotations.size(); ++i)
        items[i].at_place([&] { check_annotation(annotations[i]); });
    return annotations;
}

json::Value to_json(const std::vector<Property>& list)
{
    json::Array array;
    for (const auto& property : list)
        array.push_back(
            json::ObjectWriter{property.unknown}.set("name", property.name.str()).set("value", property.value).done());
    return array;
}

} // namespace rocket::model
