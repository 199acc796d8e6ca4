// SPDX-License-Identifier: Apache-2.0
// The two grammars of names in appc, as types that were checked once (TYP-1..8):
//   AcIdentifier  [a-z0-9]+((/~|[-._~/])[a-z0-9]+)*   images, labels, annotations, isolators
//   AcName        [a-z0-9]+(-[a-z0-9]+)*              apps, volumes, mount points, ports
// Errors: Kind::usage; readers of manifests turn it into Kind::corrupt with the place.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace rocket::model
{

enum class Grammar { identifier, name };

template <Grammar grammar>
class CheckedName
{
public:
    static CheckedName parse(std::string_view text);
    // The nearest valid name: lower case, what is not allowed replaced, edges stripped (TYP-4, TYP-7). Throws if
    // nothing is left. Only where a user asks for it, or for names that are derived from another.
    static CheckedName sanitized(std::string_view text);

    const std::string& str() const noexcept { return text_; }
    std::strong_ordering operator<=>(const CheckedName&) const = default;
    bool operator==(const CheckedName&) const = default;
    bool operator==(std::string_view other) const noexcept { return text_ == other; }

private:
    explicit CheckedName(std::string text) : text_{std::move(text)} {}
    std::string text_;
};

using AcIdentifier = CheckedName<Grammar::identifier>;
using AcName = CheckedName<Grammar::name>;
using AppName = AcName;
using VolumeName = AcName;
using PortName = AcName;

// The name an app has if nobody gave it one: the last component of the image's name (TYP-8).
AppName default_app_name(const AcIdentifier& image_name);

} // namespace rocket::model

template <rocket::model::Grammar grammar>
struct std::hash<rocket::model::CheckedName<grammar>> {
    std::size_t operator()(const rocket::model::CheckedName<grammar>& name) const noexcept
    {
        return std::hash<std::string>{}(name.str());
    }
};
