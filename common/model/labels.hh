// SPDX-License-Identifier: Apache-2.0
// Lists of {name, value} with unique names: labels and annotations (TYP-25..29), and how labels select an image
// (DEP-8).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/model/ac_name.hh"
#include "common/model/json_object.hh"

namespace rocket::model
{

struct Property {
    AcIdentifier name;
    std::string value;
    json::Frame unknown = {};
    bool operator==(const Property&) const = default;
};
using Label = Property;
using Annotation = Property;
using Labels = std::vector<Label>;
using Annotations = std::vector<Annotation>;

// The value of that name, or a null pointer.
const std::string* find(const std::vector<Property>& list, std::string_view name) noexcept;
// Replaces the entry of that name in place, else appends.
void set(std::vector<Property>& list, const AcIdentifier& name, std::string value);
// `base`, overlaid by the entries of `over` of the same name (EFF-4).
Annotations merged(Annotations base, const Annotations& over);

// Every wanted label is there with an equal value; what is not wanted may have any value.
bool satisfies(const Labels& have, const Labels& wanted) noexcept;

// Names unique, none called "name", os and arch in the table of platforms.
Labels labels_from(const std::vector<json::Cursor>& items);
void check_labels(const Labels& labels); // Kind::usage
// Names unique; `created` is a date, `homepage` and `documentation` are URLs (TYP-28).
Annotations annotations_from(const std::vector<json::Cursor>& items);
json::Value to_json(const std::vector<Property>& list);

} // namespace rocket::model
