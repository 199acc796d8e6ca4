// SPDX-License-Identifier: Apache-2.0
// JSON as values that keep what they were read from: the order of members, members nobody knows, and the spelling of
// numbers (JSON-1..11, RT-2, RT-3). The library behind it is seen by json.cc alone.
// Errors: Kind::corrupt, with line, column and a marker under the offending byte (JSON-3).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rocket::model::json
{

class Value;
struct Member;
using Array = std::vector<Value>;
using Object = std::vector<Member>;

// A number as it was spelled, so that nothing is lost or rounded on the way through.
struct Number {
    std::string spelling;
    bool operator==(const Number&) const = default;
};

class Value
{
public:
    Value() noexcept;                                             // null
    Value(std::same_as<bool> auto value) : Value{Truth{value}} {} // no pointer turns into true
    Value(Number value);
    Value(std::string value);
    Value(std::string_view value);
    Value(const char* value);
    Value(Array value);
    Value(Object value);
    Value(std::int64_t value);
    Value(std::uint64_t value);
    Value(std::int32_t value);
    Value(std::uint32_t value);

    // Defined where Member is complete.
    Value(const Value&);
    Value(Value&&) noexcept;
    Value& operator=(const Value&);
    Value& operator=(Value&&) noexcept;
    ~Value();

    bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data_); }
    // The content if it is of that type, else a null pointer.
    const bool* boolean() const noexcept { return std::get_if<bool>(&data_); }
    const Number* number() const noexcept { return std::get_if<Number>(&data_); }
    const std::string* string() const noexcept { return std::get_if<std::string>(&data_); }
    const Array* array() const noexcept { return std::get_if<Array>(&data_); }
    const Object* object() const noexcept { return std::get_if<Object>(&data_); }
    Array* array() noexcept { return std::get_if<Array>(&data_); }
    Object* object() noexcept { return std::get_if<Object>(&data_); }

    // The member of that name, or a null pointer. The last one wins (JSON-6); without an exact match one that
    // differs in case only will do (JSON-5).
    const Value* find(std::string_view name) const noexcept;
    // "a string", "an object" ..., for errors
    std::string_view type_name() const noexcept;

    bool operator==(const Value&) const;

private:
    struct Truth {
        bool value;
    };
    explicit Value(Truth value);

    std::variant<std::monostate, bool, Number, std::string, Array, Object> data_;
};

struct Member {
    std::string name;
    Value value;
    bool operator==(const Member&) const = default;
};

struct Limits {
    std::size_t size = std::size_t{4} << 20; // bytes
    std::size_t depth = 64;
};

// `what` names the text in errors: "pod manifest is not valid JSON: line 3, column 7: ...".
Value parse(std::string_view text, std::string_view what, Limits limits = {});

enum class Style { compact, tabs, four_blanks }; // tabs: as cat-manifest prints; the text has no final newline
std::string write(const Value& value, Style style = Style::compact);

} // namespace rocket::model::json
