// SPDX-License-Identifier: Apache-2.0
#include "common/model/json.hh"

#include "common/model/json_object.hh"
#include "support.hh"

using namespace rocket;
using namespace rocket::model;

TEST_CASE("json: what is not JSON is refused (JSON-2)")
{
    for (const char* bad : {"",
                            " ",
                            "{} x",
                            "{}{}",
                            R"({"a":1,})",
                            "[1,]",
                            "{} // c",
                            "/* c */ {}",
                            "\xEF\xBB\xBF{}",
                            R"({"a":)",
                            R"({"a")",
                            "[",
                            "\"abc",
                            "nul",
                            "01",
                            "1.",
                            ".5",
                            "+1",
                            "'a'",
                            "{a:1}",
                            "NaN",
                            "\"\xff\"",
                            "\"\xed\xa0\x80\"",
                            "\"\\ud800\"",
                            "\"a\nb\"",
                            "\"\\x41\""}) {
        CAPTURE(bad);
        check_refused([&] { json::parse(bad, "text"); }, "text is not valid JSON: line");
    }
    check_refused([] { json::parse(std::string_view{"{}\0x", 4}, "text"); }, "column 3: a NUL byte is not allowed");
    CHECK_NOTHROW(json::parse(" {} \r\n\t ", "text"));
}

TEST_CASE("json: an error shows the place (JSON-3)")
{
    check_refused([] { json::parse("{\n\t\"name\": \"x\"\n\t\"app\": 1\n}", "pod manifest"); },
                  "pod manifest is not valid JSON: line 3, column 2: missing a comma or '}' after an object member\n"
                  "   \"app\": 1\n"
                  "   ^");
    check_refused([] { json::parse("[\"\xc3\xa4\", x]", "text"); },
                  "column 8: invalid value\n  [\"\xc3\xa4\", x]\n        ^");
    check_refused([] { json::parse("[\x1b[31m", "text"); }, "\\x1b[31m"); // nothing a terminal would obey
}

TEST_CASE("json: hostile sizes end in an error (JSON-11)")
{
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    CHECK_NOTHROW(json::parse(nested(64), "text"));
    check_refused([&] { json::parse(nested(65), "text"); }, "nested deeper than 64 levels");
    check_refused([&] { json::parse(std::string(1'000'000, '['), "text"); }, "nested deeper than 64 levels");
    check_refused([&] { json::parse(std::string((4U << 20U) + 1, ' '), "text"); }, "text is too large");
    CHECK_NOTHROW(json::parse(nested(100), "text", {.depth = 100}));
}

TEST_CASE("json: numbers keep their spelling, objects their order")
{
    const std::string text = R"({"z":1.50,"a":-0,"m":1e3,"z2":[123456789012345678901234567890,true,null,""],"e":{}})";
    CHECK(json::write(json::parse(text, "text")) == text);
}

TEST_CASE("json: the last member wins, case counts only if it has to (JSON-5, JSON-6)")
{
    const auto value = json::parse(R"({"a":1,"A":2,"a":3,"supplementaryGids":4})", "text");
    CHECK(*value.find("a") == json::Value{3});
    CHECK(*value.find("A") == json::Value{2});
    CHECK(*value.find("supplementaryGIDs") == json::Value{4});
    CHECK(value.find("b") == nullptr);
}

TEST_CASE("json: pretty printing")
{
    const auto value = json::parse(R"({"a":[1,{"b":[]}],"c":{}})", "text");
    CHECK(json::write(value, json::Style::tabs) ==
          "{\n\t\"a\": [\n\t\t1,\n\t\t{\n\t\t\t\"b\": []\n\t\t}\n\t],\n\t\"c\": {}\n}");
    CHECK(json::write(value, json::Style::four_blanks).find("\n        1,") != std::string::npos);
}

TEST_CASE("json: strings survive, escaped or not")
{
    const auto value = json::parse(R"("\u0041\/\n\ud83d\ude80\u0000")", "text");
    CHECK(*value.string() == std::string{"A/\n\xf0\x9f\x9a\x80\0", 8});
    CHECK(json::parse(json::write(value), "text") == value);
}

TEST_CASE("json: types are not coerced (JSON-8, JSON-9, JSON-10)")
{
    const auto at = [](std::string_view text, auto read) {
        const auto value = json::parse(text, "text");
        return read(json::Cursor{value, "pod.x"});
    };
    const auto integer = [](const json::Cursor& c) { return c.integer(-5, 10); };
    CHECK(at("10", integer) == 10);
    CHECK(at("-5", integer) == -5);
    for (const char* bad : {"1.5", "1024.0", "1e1", "11", "-6", "99999999999999999999"})
        check_refused([&] { at(bad, integer); }, std::string{"pod.x must be an integer from -5 to 10, not "} + bad);
    check_refused([&] { at("\"1\"", integer); }, "pod.x must be an integer, not a string");
    const auto text = [](const json::Cursor& c) { return c.text(); };
    check_refused([&] { at("1", text); }, "pod.x must be a string, not a number");
    check_refused([&] { at(R"("a\u0000")", text); }, "pod.x contains a NUL character");
    check_refused([&] { at("\"a\"", [](const json::Cursor& c) { return c.items(); }); },
                  "must be a list, not a string");
    check_refused([&] { at("1", [](const json::Cursor& c) { return c.boolean(); }); }, "must be true or false");
    check_refused([&] { at(R"({"k":1})", [](const json::Cursor& c) { return c.text_map(); }); },
                  "pod.x[\"k\"] must be a string, not a number");
}

TEST_CASE("json: null is the same as absent (JSON-7)")
{
    const auto value = json::parse(R"({"a":null,"b":""})", "text");
    json::Fields fields{{value, "pod"}};
    CHECK_FALSE(fields.optional("a"));
    CHECK(fields.present("a"));
    check_refused([&] { fields.required("a"); }, "pod has no \"a\"");
    check_refused([&] { fields.required_text("b"); }, "pod.b is empty");
}

TEST_CASE("json: what a struct does not know survives at its place (RT-2)")
{
    const auto value = json::parse(R"({"x":1,"B":2,"y":3,"a":4,"a":5,"x":6})", "text");
    json::Fields fields{{value, "pod"}};
    fields.optional("a");
    fields.optional("b");
    fields.optional("new");
    const auto frame = fields.rest();
    CHECK(json::write(json::ObjectWriter{frame}.set("new", 0).set("a", 50).set("b", 20).done()) ==
          R"({"x":1,"b":20,"y":3,"a":50,"x":6,"new":0})");
    CHECK(json::write(json::ObjectWriter{frame}.set("a", 50).done()) == R"({"x":1,"y":3,"a":50,"x":6})");
}
