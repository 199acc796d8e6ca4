// SPDX-License-Identifier: Apache-2.0
#include "stage1/attach/options.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1::attach;

TEST_CASE("attach options: as stage0 writes them")
{
    const char* const words[] = {"--action=custom-attach", "--stdin=true", "--stderr=true",
                                 "--stdout=false",         "--app=web",    "--debug=false",
                                 "--detach-keys=ctrl-a,d"};
    const auto options = parse_options(words);
    CHECK_FALSE(options.list);
    CHECK(options.wanted == (Endpoint::input | Endpoint::error));
    CHECK(options.app == "web");
    CHECK(options.detach_keys == "\x01"
                                 "d");
    for (const char* const bad : {"--action=x", "--stdin=2", "--app=../x", "--nothing", "x", "--detach-keys=ctrl-1"})
        CHECK_THROWS_AS(parse_options(std::array{bad}), Error);
    CHECK_THROWS_WITH(parse_options(std::array{"--action=list"}), "--app is needed");
}

TEST_CASE("detach keys: the sequence, and nothing but it, is held back")
{
    DetachKeys keys{parse_detach_keys("ctrl-p,ctrl-q")};
    CHECK(keys.typed("abc") == "abc");
    CHECK(keys.typed("a\x10").size() == 1);
    CHECK(keys.typed("b") == "\x10"
                             "b");
    CHECK(keys.typed("\x10\x10") == "\x10");
    CHECK_FALSE(keys.detached());
    CHECK(keys.typed("\x11rest").empty());
    CHECK(keys.detached());

    DetachKeys none{""};
    CHECK(none.typed("\x10\x11") == "\x10\x11");
    CHECK_FALSE(none.detached());
}
