// SPDX-License-Identifier: Apache-2.0
#include "common/model/json_object.hh"

#include <algorithm>
#include <charconv>

#include "common/sys/text.hh"

namespace rocket::model::json
{

void Cursor::fail(std::string_view text, std::string hint) const
{
    throw Error{Error::Kind::corrupt, place_ + std::string{text}, std::move(hint)};
}

void Cursor::fail_type(std::string_view wanted) const
{
    fail(fmt::format(" must be {}, not {}", wanted, value_->type_name()));
}

namespace
{

// For everything that may become a path, an argument, an environment variable or a name (JSON-10).
void check_text(const Cursor& cursor, const std::string& text)
{
    if (text.find('\0') != std::string::npos)
        cursor.fail(" contains a NUL character");
    if (!text::is_utf8(text))
        cursor.fail(" is not valid UTF-8");
}

} // namespace

std::string Cursor::text() const
{
    const auto* text = value_->string();
    if (text == nullptr)
        fail_type("a string");
    check_text(*this, *text);
    return *text;
}

bool Cursor::boolean() const
{
    if (const auto* truth = value_->boolean())
        return *truth;
    fail_type("true or false");
}

std::int64_t Cursor::integer(std::int64_t min, std::int64_t max) const
{
    const auto* number = value_->number();
    if (number == nullptr)
        fail_type("an integer");
    const auto& spelling = number->spelling;
    std::int64_t integer = 0;
    const auto [end, error] = std::from_chars(spelling.data(), spelling.data() + spelling.size(), integer);
    if (error != std::errc{} || end != spelling.data() + spelling.size() || integer < min || integer > max)
        fail(fmt::format(" must be an integer from {} to {}, not {}", min, max, spelling));
    return integer;
}

std::vector<Cursor> Cursor::items() const
{
    const auto* array = value_->array();
    if (array == nullptr)
        fail_type("a list");
    std::vector<Cursor> items;
    items.reserve(array->size());
    for (const auto& item : *array)
        items.emplace_back(item, fmt::format("{}[{}]", place_, items.size()));
    return items;
}

std::vector<std::string> Cursor::texts() const
{
    std::vector<std::string> texts;
    for (const auto& item : items())
        texts.push_back(item.text());
    return texts;
}

std::map<std::string, std::string> Cursor::text_map() const
{
    const auto* object = value_->object();
    if (object == nullptr)
        fail_type("an object");
    std::map<std::string, std::string> map;
    for (const auto& [name, value] : *object) {
        const Cursor member{value, fmt::format("{}[{}]", place_, text::quoted(name))};
        check_text(member, name);
        map[name] = member.text(); // the last one wins (JSON-6)
    }
    return map;
}

bool Frame::operator==(const Frame& other) const
{
    const auto unknown_in = [](const Frame& frame) {
        std::vector<const Member*> unknown;
        for (const auto& slot : frame.slots_)
            if (!slot.known)
                unknown.push_back(&slot.member);
        return unknown;
    };
    return std::ranges::equal(unknown_in(*this), unknown_in(other),
                              [](const Member* a, const Member* b) { return *a == *b; });
}

Fields::Fields(const Cursor& cursor) : cursor_{cursor}
{
    if (cursor.value().object() == nullptr)
        cursor.fail(fmt::format(" must be an object, not {}", cursor.value().type_name()));
}

std::optional<Cursor> Fields::present(std::string_view name)
{
    const auto* value = cursor_.value().find(name);
    taken_.push_back({name, value});
    if (value == nullptr)
        return std::nullopt;
    return Cursor{*value, fmt::format("{}.{}", cursor_.place(), name)};
}

std::optional<Cursor> Fields::optional(std::string_view name)
{
    auto member = present(name);
    if (member && member->value().is_null())
        member.reset();
    return member;
}

Cursor Fields::required(std::string_view name)
{
    auto member = optional(name);
    if (!member)
        cursor_.fail(fmt::format(" has no \"{}\"", name));
    return *std::move(member);
}

Cursor Fields::required_text(std::string_view name)
{
    auto member = required(name);
    if (member.text().empty())
        member.fail(" is empty");
    return member;
}

std::string Fields::text_or(std::string_view name, std::string_view otherwise)
{
    const auto member = optional(name);
    return member ? member->text() : std::string{otherwise};
}

bool Fields::boolean_or(std::string_view name, bool otherwise)
{
    const auto member = optional(name);
    return member ? member->boolean() : otherwise;
}

std::vector<Cursor> Fields::items(std::string_view name)
{
    const auto member = optional(name);
    return member ? member->items() : std::vector<Cursor>{};
}

Frame Fields::rest() const
{
    Frame frame;
    for (const auto& member : *cursor_.value().object()) {
        const auto known = std::ranges::find(taken_, &member.value, &Taken::value);
        if (known != taken_.end())
            frame.slots_.push_back({{std::string{known->name}, {}}, true});
        else if (std::ranges::find(taken_, member.name, &Taken::name) == taken_.end()) // else a repetition that lost
            frame.slots_.push_back({member, false});
    }
    return frame;
}

ObjectWriter& ObjectWriter::set(std::string_view name, Value value)
{
    members_.push_back({std::string{name}, std::move(value)});
    return *this;
}

ObjectWriter& ObjectWriter::set_text(std::string_view name, std::string_view value)
{
    return set_if(!value.empty(), name, value);
}

ObjectWriter& ObjectWriter::set_if(bool wanted, std::string_view name, Value value)
{
    return wanted ? set(name, std::move(value)) : *this;
}

Value ObjectWriter::done()
{
    if (frame_ == nullptr)
        return std::move(members_);
    Object object;
    for (const auto& slot : frame_->slots_) {
        if (!slot.known) {
            object.push_back(slot.member);
            continue;
        }
        const auto member = std::ranges::find(members_, slot.member.name, &Member::name);
        if (member == members_.end())
            continue; // it had a value once, and has none now
        object.push_back(std::move(*member));
        members_.erase(member);
    }
    std::ranges::move(members_, std::back_inserter(object));
    return object;
}

Value to_json(const std::vector<std::string>& texts)
{
    return Array(texts.begin(), texts.end());
}

Value to_json(const std::map<std::string, std::string>& texts)
{
    Object object;
    for (const auto& [name, value] : texts)
        object.push_back({name, value});
    return object;
}

} // namespace rocket::model::json
