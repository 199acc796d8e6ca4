// SPDX-License-Identifier: Apache-2.0
#include "stage1/enter/options.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;
using Words = std::vector<const char*>;

TEST_CASE("enter: its command line")
{
    const auto options =
        parse_enter_options(Words{"--pid=12", "--appname=web", "--user=7", "--cwd=/x", "--", "sh", "--", "--pid=1"});
    CHECK(options.pod_init == 12);
    CHECK(options.app == "web");
    CHECK(options.user == "7");
    CHECK(options.group == "");
    CHECK(options.working_directory == "/x");
    CHECK(options.command == std::vector<std::string>{"sh", "--", "--pid=1"});
    const auto with =
        parse_enter_options(Words{"--appname=a", "--pid=2", "--env=A=1=2", "--env=B=", "--env=A=3", "--", "env"});
    REQUIRE(with.environment.size() == 2);
    CHECK(with.environment[0].value == "3");
    CHECK(with.environment[1].value == "");
    const auto root = parse_enter_options(Words{"--appname=a", "--as-root", "--pid=2", "--", "id"});
    CHECK(root.user == "0");
    CHECK(root.group == "0");
    CHECK(root.working_directory == "/");
}

TEST_CASE("enter: what is not its command line")
{
    for (const auto& bad :
         {Words{}, Words{"--pid=12", "--", "x"}, Words{"--appname=a", "--", "x"}, Words{"--pid=12", "--appname=a"},
          Words{"--pid=12", "--appname=a", "--"}, Words{"--pid=1", "--appname=a", "--", "x"},
          Words{"--pid=-5", "--appname=a", "--", "x"}, Words{"--pid= 5", "--appname=a", "--", "x"},
          Words{"--pid=99999999999", "--appname=a", "--", "x"}, Words{"--pid=5", "--appname=../a", "--", "x"},
          Words{"--pid=5", "--appname=a", "--cwd=x", "--", "x"}, Words{"--pid=5", "--appname=a", "--what", "--", "x"},
          Words{"--pid=5", "--appname=a", "--env=A", "--", "x"}, Words{"--pid=5", "--appname=a", "--env==x", "--", "x"},
          Words{"--pid=5", "--appname=a", "--env=container=docker", "--", "x"},
          Words{"--pid=5", "--appname=a", "x", "--", "x"}})
        CHECK_THROWS_AS(parse_enter_options(bad), Error);
}
