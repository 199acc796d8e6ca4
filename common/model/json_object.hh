// SPDX-License-Identifier: Apache-2.0
// Between JSON objects and structs. A Cursor is a value together with its place ("pod.apps[1].image"), so that every
// error says where. Fields reads the members of an object and remembers which it was asked for; what is left is the
// Frame, which the struct keeps, and an ObjectWriter puts everything back at its place (RT-2).
// Errors: Kind::corrupt, such as: pod.apps[1] has no "image".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/json.hh"
#include "common/sys/error.hh"

namespace rocket::model::json
{

class Cursor
{
public:
    Cursor(const Value& value, std::string place) : value_{&value}, place_{std::move(place)} {}

    const Value& value() const noexcept { return *value_; }
    const std::string& place() const noexcept { return place_; }

    std::string text() const; // refuses NUL (JSON-10)
    bool boolean() const;
    std::int64_t integer(std::int64_t min, std::int64_t max) const; // digits only (JSON-9)
    std::vector<Cursor> items() const;
    std::vector<std::string> texts() const;
    std::map<std::string, std::string> text_map() const;

    // Type::parse(text()), where an error names this place
    template <typename Type>
    Type as() const
    {
        return at_place([&] { return Type::parse(text()); });
    }
    // Runs `act`; an Error that leaves it says where it happened.
    template <typename Act>
    auto at_place(Act&& act) const
    {
        try {
            return act();
        } catch (const Error& error) {
            fail(": " + error.innermost(), error.hint());
        }
    }
    // Throws: place, then `text` (which brings its own separator).
    [[noreturn]] void fail(std::string_view text, std::string hint = {}) const;

private:
    [[noreturn]] void fail_type(std::string_view wanted) const;

    const Value* value_;
    std::string place_;
};

// The members of an object that its struct does not know, and where they stood among those it knows.
class Frame
{
public:
    Frame() = default;
    // Frames are equal if they hold the same unknown members in the same order.
    bool operator==(const Frame& other) const;

private:
    friend class Fields;
    friend class ObjectWriter;
    struct Slot {
        Member member;
        bool known; // a place holder; the name is as the struct spells it
        bool operator==(const Slot&) const = default;
    };
    std::vector<Slot> slots_;
};

class Fields
{
public:
    explicit Fields(const Cursor& cursor);                 // an object, or an error
    std::optional<Cursor> present(std::string_view name);  // even if it is null
    std::optional<Cursor> optional(std::string_view name); // null is the same as absent (JSON-7)
    Cursor required(std::string_view name);
    // A string that must be there and not be empty.
    Cursor required_text(std::string_view name);
    std::string text_or(std::string_view name, std::string_view otherwise);
    bool boolean_or(std::string_view name, bool otherwise);
    std::vector<Cursor> items(std::string_view name); // none if absent
    Frame rest() const;                               // when all members that the struct knows have been asked for

private:
    struct Taken {
        std::string_view name; // a literal
        const Value* value;
    };
    Cursor cursor_;
    std::vector<Taken> taken_;
};

// Builds an object: members in the order of the frame they were read from, new ones behind in the order of the calls.
class ObjectWriter
{
public:
    ObjectWriter() = default;
    explicit ObjectWriter(const Frame& frame) : frame_{&frame} {}
    explicit ObjectWriter(Frame&&) = delete;
    ObjectWriter& set(std::string_view name, Value value);
    ObjectWriter& set_text(std::string_view name, std::string_view value); // left out if empty
    ObjectWriter& set_if(bool wanted, std::string_view name, Value value);
    Value done(); // leaves nothing behind

private:
    const Frame* frame_ = nullptr;
    Object members_;
};

Value to_json(const std::vector<std::string>& texts);
Value to_json(const std::map<std::string, std::string>& texts);

} // namespace rocket::model::json
