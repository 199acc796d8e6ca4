// SPDX-License-Identifier: Apache-2.0
#include "common/model/object_string.hh"

#include <algorithm>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model
{

ObjectString ObjectString::with_name(std::string_view text, std::string_view kind)
{
    const auto parts = text::split(text, ',');
    ObjectString object{parts.front(), kind};
    object.add_parts(parts, 1);
    return object;
}

ObjectString ObjectString::without_name(std::string_view text, std::string_view kind)
{
    ObjectString object{"", kind};
    object.add_parts(text::split(text, ','), 0);
    return object;
}

void ObjectString::add_parts(const std::vector<std::string>& parts, std::size_t first)
{
    for (std::size_t i = first; i < parts.size(); ++i) {
        const auto equals = parts[i].find('=');
        if (equals == std::string::npos)
            fail(Error::Kind::usage, "{} parameter {} has no value: expected key=value", kind_, text::quoted(parts[i]));
        Part part{parts[i].substr(0, equals), parts[i].substr(equals + 1)};
        if (const auto other = std::ranges::find(parts_, part.key, &Part::key); other != parts_.end())
            fail(Error::Kind::usage, "label {} with multiple values [{} {}]", text::printable(part.key),
                 text::printable(other->value), text::printable(part.value));
        parts_.push_back(std::move(part));
    }
}

std::optional<std::string> ObjectString::take(std::string_view key)
{
    const auto part = std::ranges::find(parts_, key, &Part::key);
    if (part == parts_.end())
        return std::nullopt;
    auto value = std::move(part->value);
    parts_.erase(part);
    return value;
}

std::optional<bool> ObjectString::take_bool(std::string_view key)
{
    const auto value = take(key);
    if (!value)
        return std::nullopt;
    const auto truth = text::parse_bool(*value);
    if (!truth)
        fail(Error::Kind::usage, "{} of a {} must be true or false, not {}", key, kind_, text::quoted(*value));
    return truth;
}

std::optional<std::uint32_t> ObjectString::take_number(std::string_view key, std::uint32_t min, std::uint32_t max)
{
    const auto value = take(key);
    if (!value)
        return std::nullopt;
    const auto number = text::parse_decimal(*value, max);
    if (!number || *number < min)
        fail(Error::Kind::usage, "{} of a {} must be a number from {} to {}, not {}", key, kind_, min, max,
             text::quoted(*value));
    return static_cast<std::uint32_t>(*number);
}

void ObjectString::done() const
{
    if (!parts_.empty())
        fail(Error::Kind::usage, "unknown {} parameter {}", kind_, text::quoted(parts_.front().key));
}

} // namespace rocket::model
