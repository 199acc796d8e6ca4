// SPDX-License-Identifier: Apache-2.0
#include "common/model/json.hh"

#include <strings.h>

#include <algorithm>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "common/sys/error.hh"
#include "common/sys/text.hh"

namespace rocket::model::json
{

Value::Value() noexcept = default;
Value::Value(Truth value) : data_{value.value} {}
Value::Value(Number value) : data_{std::move(value)} {}
Value::Value(std::string value) : data_{std::move(value)} {}
Value::Value(std::string_view value) : data_{std::string{value}} {}
Value::Value(const char* value) : data_{std::string{value}} {}
Value::Value(Array value) : data_{std::move(value)} {}
Value::Value(Object value) : data_{std::move(value)} {}
Value::Value(std::int64_t value) : data_{Number{std::to_string(value)}} {}
Value::Value(std::uint64_t value) : data_{Number{std::to_string(value)}} {}
Value::Value(std::int32_t value) : data_{Number{std::to_string(value)}} {}
Value::Value(std::uint32_t value) : data_{Number{std::to_string(value)}} {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;
bool Value::operator==(const Value& other) const
{
    return data_ == other.data_;
} // clang 14 cannot default it

const Value* Value::find(std::string_view name) const noexcept
{
    const auto* members = object();
    if (members == nullptr)
        return nullptr;
    const Value* other_case = nullptr;
    for (auto member = members->rbegin(); member != members->rend(); ++member) {
        if (member->name == name)
            return &member->value;
        if (other_case == nullptr && member->name.size() == name.size() &&
            ::strncasecmp(member->name.data(), name.data(), name.size()) == 0)
            other_case = &member->value;
    }
    return other_case;
}

std::string_view Value::type_name() const noexcept
{
    constexpr std::string_view names[] = {"null", "a boolean", "a number", "a string", "a list", "an object"};
    return names[data_.index()];
}

namespace
{

// Receives what the parser finds and builds the value. The open containers are on a stack; a pointer into a container
// stays valid because the container does not grow while a child of it is open.
class Builder
{
public:
    explicit Builder(std::size_t max_depth) : max_depth_{max_depth} {}

    bool Null() { return add(Value{}); }
    bool Bool(bool value) { return add(Value{value}); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool)
    {
        return add(Value{Number{std::string{text, length}}});
    }
    bool String(const char* text, rapidjson::SizeType length, bool) { return add(Value{std::string{text, length}}); }
    bool Key(const char* text, rapidjson::SizeType length, bool)
    {
        open_.back()->object()->push_back({std::string{text, length}, {}});
        return true;
    }
    bool StartObject() { return start(Value{Object{}}); }
    bool StartArray() { return start(Value{Array{}}); }
    bool EndObject(rapidjson::SizeType) { return end(); }
    bool EndArray(rapidjson::SizeType) { return end(); }
    // Numbers arrive as text; the parser's interface wants these all the same.
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }

    bool is_too_deep() const noexcept { return too_deep_; }
    Value take() { return std::move(root_); }

private:
    Value& place(Value value)
    {
        if (open_.empty())
            return root_ = std::move(value);
        if (auto* array = open_.back()->array())
            return array->emplace_back(std::move(value));
        return open_.back()->object()->back().value = std::move(value);
    }
    bool add(Value value)
    {
        place(std::move(value));
        return true;
    }
    bool start(Value container)
    {
        too_deep_ = open_.size() >= max_depth_;
        if (!too_deep_)
            open_.push_back(&place(std::move(container)));
        return !too_deep_;
    }
    bool end()
    {
        open_.pop_back();
        return true;
    }

    std::size_t max_depth_;
    bool too_deep_ = false;
    Value root_;
    std::vector<Value*> open_;
};

// Tabs would shift the marker; the rest of what a terminal would obey is escaped.
std::string shown(std::string_view raw)
{
    std::string text{raw};
    for (char& c : text)
        if (c == '\t' || c == '\r')
            c = ' ';
    return text::printable(text);
}

// "line 3, column 7: WHY", the line, and a marker under the byte (JSON-3).
[[noreturn]] void fail_at(std::string_view text, std::size_t offset, std::string_view what, std::string_view why)
{
    offset = std::min(offset, text.size());
    const auto before = text.substr(0, offset);
    const auto line_start = before.rfind('\n') + 1; // npos + 1 is 0
    const auto line_end = std::min(text.find('\n', offset), text.size());
    const auto line_number = 1 + std::ranges::count(before, '\n');
    constexpr std::size_t window = 60; // a manifest may be one long line
    const auto from = offset - line_start > window ? offset - window : line_start;
    const auto to = std::min(line_end, offset + window / 2);
    const auto head = shown(text.substr(from, offset - from));
    const auto width = std::ranges::count_if(head, [](char c) { return (c & 0xC0) != 0x80; });
    fail(Error::Kind::corrupt, "{} is not valid JSON: line {}, column {}: {}\n  {}{}\n  {}^", what, line_number,
         offset - line_start + 1, why, head, shown(text.substr(offset, to - offset)),
         std::string(static_cast<std::size_t>(width), ' '));
}

// In our style: lower case, no full stop.
std::string reason(rapidjson::ParseErrorCode code)
{
    std::string text = rapidjson::GetParseError_En(code);
    if (text.ends_with('.'))
        text.pop_back();
    if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z')
        text.front() = static_cast<char>(text.front() - 'A' + 'a');
    return text;
}

} // namespace

Value parse(std::string_view text, std::string_view what, Limits limits)
{
    if (text.size() > limits.size)
        fail(Error::Kind::corrupt, "{} is too large: {} bytes, the limit is {}", what, text.size(), limits.size);
    if (text.starts_with("\xEF\xBB\xBF"))
        fail_at(text, 0, what, "a byte order mark is not allowed");
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) // the end of input to the parser
        fail_at(text, nul, what, "a NUL byte is not allowed");
    rapidjson::MemoryStream stream{text.data(), text.size()};
    rapidjson::Reader reader;
    Builder builder{limits.depth};
    constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
    const auto result = reader.Parse<flags>(stream, builder);
    if (builder.is_too_deep())
        fail_at(text, result.Offset(), what, fmt::format("nested deeper than {} levels", limits.depth));
    if (result.IsError())
        fail_at(text, result.Offset(), what, reason(result.Code()));
    return builder.take();
}

namespace
{

template <typename Writer>
void put(const Value& value, Writer& writer)
{
    const auto length = [](const std::string& text) { return static_cast<rapidjson::SizeType>(text.size()); };
    if (const auto* truth = value.boolean()) {
        writer.Bool(*truth);
    } else if (const auto* number = value.number()) {
        writer.RawValue(number->spelling.data(), number->spelling.size(), rapidjson::kNumberType);
    } else if (const auto* text = value.string()) {
        writer.String(text->data(), length(*text));
    } else if (const auto* array = value.array()) {
        writer.StartArray();
        for (const auto& item : *array)
            put(item, writer);
        writer.EndArray();
    } else if (const auto* object = value.object()) {
        writer.StartObject();
        for (const auto& member : *object) {
            writer.Key(member.name.data(), length(member.name));
            put(member.value, writer);
        }
        writer.EndObject();
    } else {
        writer.Null();
    }
}

} // namespace

std::string write(const Value& value, Style style)
{
    rapidjson::StringBuffer buffer;
    if (style == Style::compact) {
        rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
        put(value, writer);
    } else {
        rapidjson::PrettyWriter<rapidjson::StringBuffer> writer{buffer};
        if (style == Style::tabs)
            writer.SetIndent('\t', 1);
        put(value, writer);
    }
    return {buffer.GetString(), buffer.GetSize()};
}

} // namespace rocket::model::json
