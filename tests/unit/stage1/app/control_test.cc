// SPDX-License-Identifier: Apache-2.0
#include "stage1/app/control.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;

TEST_CASE("requests about apps: what is encoded comes out again")
{
    for (const auto verb : {AppVerb::add, AppVerb::remove, AppVerb::start, AppVerb::stop}) {
        auto line = encode({verb, model::AppName::parse("web-1")});
        REQUIRE(line.ends_with('\n'));
        line.pop_back();
        const auto request = decode_app_request(line);
        CHECK(request.verb == verb);
        CHECK(request.app == "web-1");
    }
}

TEST_CASE("requests about apps: anything else is none")
{
    for (const char* const bad : {"", "add", "add ", "add a b", "add ../a", "ADD a", "remove a", " add a", "add A"})
        CHECK_THROWS_AS(decode_app_request(bad), Error);
}
