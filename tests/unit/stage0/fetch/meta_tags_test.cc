// SPDX-License-Identifier: Apache-2.0
#include "stage0/fetch/meta_tags.hh"

#include <doctest/doctest.h>

#include <string>

using namespace rocket::fetch;

TEST_CASE("DISC-17: tags wherever and however they are written, in order")
{
    const auto tags = ac_tags("<meta name='ac-a' content=1><p><META content=\"x &amp; y\" NAME=ac-b name=ac-c>"
                              "<body><div><meta name=ac-d content='3'/></div><meta name=other content=4>");
    CHECK(tags == std::vector<Tag>{{"ac-a", "1"}, {"ac-b", "x & y"}, {"ac-d", "3"}});
}

TEST_CASE("DISC-18: what a browser would not take for a tag")
{
    const std::string tag = "<meta name=ac-a content=x>";
    for (const char* element :
         {"script", "style", "noscript", "title", "textarea", "iframe", "noembed", "noframes", "xmp"})
        CHECK_MESSAGE(ac_tags("<" + std::string{element} + ">" + tag + "</" + element + ">").empty(), element);
    CHECK(ac_tags("<!-- " + tag + " -->").empty());
    CHECK(ac_tags("<meta name=ac-a content=x").empty());
    CHECK(ac_tags("<meta property=ac-a content=x>").empty());
    CHECK(ac_tags("<meta name=AC-A content=x>").empty());
    CHECK(ac_tags("").empty());
    CHECK(ac_tags(std::string(3, '\0')).empty());
}

TEST_CASE("a page may be as deep, and have as many tags, as it likes")
{
    std::string deep;
    for (int i = 0; i < 5000; ++i)
        deep += "<div>";
    CHECK(ac_tags(deep + "<meta name=ac-a content=x>").size() == 1);
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "<meta name=ac-a content=x>";
    CHECK(ac_tags(many).size() == 256);
}
