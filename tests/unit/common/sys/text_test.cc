// SPDX-License-Identifier: Apache-2.0
#include "common/sys/text.hh"

#include <doctest/doctest.h>

using namespace rocket;

TEST_CASE("text: numbers are digits and nothing else (R10)")
{
    CHECK(text::parse_decimal("0") == 0U);
    CHECK(text::parse_decimal("18446744073709551615") == UINT64_MAX);
    for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616", "1e3"}) {
        CAPTURE(bad);
        CHECK_FALSE(text::parse_decimal(bad));
    }
}

TEST_CASE("text: user ids end at 4294967294 (R10)")
{
    CHECK(text::parse_id("4294967294") == 4294967294U);
    for (const char* bad : {"4294967295", "4294967296", "-1", "+0", " 0", "0 ", "99999999999999999999"}) {
        CAPTURE(bad);
        CHECK_FALSE(text::parse_id(bad));
    }
}

TEST_CASE("text: quoting leaves nothing a terminal would obey")
{
    CHECK(text::quoted("a\"b\\c\n\x1b[0m") == R"("a\"b\\c\n\x1b[0m")");
    CHECK(text::quoted("gr\xc3\xbc\xc3\x9f") == "\"gr\xc3\xbc\xc3\x9f\"");
    CHECK(text::printable("\xff\xc2\x9b") == "\\xff\\xc2\\x9b");
    CHECK(text::printable("a\xe2\x80\xae"
                          "b\xef\xbb\xbf") == "a\\xe2\\x80\\xae"
                                              "b\\xef\\xbb\\xbf"); // direction, byte order
}

TEST_CASE("text: UTF-8 without surrogates, overlong forms or numbers past U+10FFFF")
{
    CHECK(text::is_utf8("plain \xe2\x82\xac \xf0\x9f\x9a\x80"));
    for (const char* bad : {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
        CAPTURE(bad);
        CHECK_FALSE(text::is_utf8(bad));
    }
}

TEST_CASE("text: trim and split")
{
    CHECK(text::trim(" \ta b\r\n") == "a b");
    CHECK(text::trim("  ") == "");
    CHECK(text::split("a,,b", ',') == std::vector<std::string>{"a", "", "b"});
    CHECK(text::split("", ',') == std::vector<std::string>{""});
}
