// SPDX-License-Identifier: Apache-2.0
#include "stage0/update/deployment.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "tests/unit/scratch.hh"

using namespace rocket;
using namespace rocket::update;

namespace
{

Images web(char digit)
{
    return {{"docker://example.com/web", model::ImageId::parse("sha512-" + std::string(64, digit))}};
}

} // namespace

TEST_CASE("a deployment survives the way to disk and back")
{
    Deployment deployment{.pins = web('a'), .history = {}};
    deployment.add(
        {.time_ns = 1, .before = web('a'), .after = web('b'), .outcome = Outcome::went_back, .reason = "exit-code"});
    const auto again = Deployment::parse(deployment.text());
    CHECK(again.text() == deployment.text());
    CHECK(again.pins == web('a'));
    REQUIRE(again.history.size() == 1);
    CHECK(again.history[0].after == web('b'));
    CHECK(again.history[0].outcome == Outcome::went_back);
    CHECK(again.history[0].reason == "exit-code");
}

TEST_CASE("a damaged deployment is named, not guessed")
{
    CHECK_THROWS_WITH_AS(Deployment::parse(R"({"history": [{"time": 1, "outcome": "great"}]})"),
                         "deployment.history[0].outcome is no outcome", Error);
    CHECK_THROWS_AS(Deployment::parse(R"({"pins": {"x": "sha512-1"}})"), Error);
    CHECK_THROWS_AS(Deployment::parse("{"), Error);
}

TEST_CASE("images that did not run are bad, until they did")
{
    Deployment deployment;
    CHECK_FALSE(deployment.is_bad(web('b')));
    deployment.add({.before = web('a'), .after = web('b'), .outcome = Outcome::went_back});
    CHECK(deployment.is_bad(web('b')));
    CHECK_FALSE(deployment.is_bad(web('a')));
    deployment.add({.before = web('a'), .after = web('b'), .outcome = Outcome::kept});
    CHECK_FALSE(deployment.is_bad(web('b')));
    deployment.add({.before = web('b'), .after = web('a'), .outcome = Outcome::rolled_back});
    CHECK(deployment.is_bad(web('b')));
}

TEST_CASE("what is gone back to is what ran before the last update that was kept")
{
    Deployment deployment;
    CHECK(deployment.previous(web('a')) == nullptr);
    deployment.add({.before = web('a'), .after = web('b'), .outcome = Outcome::kept});
    deployment.add({.before = web('b'), .after = web('c'), .outcome = Outcome::went_back});
    REQUIRE(deployment.previous(web('b')) != nullptr);
    CHECK(*deployment.previous(web('b')) == web('a'));
    CHECK(deployment.previous(web('a')) == nullptr);
    CHECK(deployment.previous(web('d')) != nullptr); // started anew meanwhile, with what came without an update
    CHECK(deployment.latest() == web('b'));
}

TEST_CASE("whoever goes back twice goes back further, and never forward")
{
    Deployment deployment;
    deployment.add({.before = web('a'), .after = web('b'), .outcome = Outcome::kept});
    deployment.add({.before = web('b'), .after = web('c'), .outcome = Outcome::kept});
    CHECK(*deployment.previous(web('c')) == web('b'));
    deployment.add({.before = web('c'), .after = web('b'), .outcome = Outcome::rolled_back});
    CHECK(*deployment.previous(web('b')) == web('a'));
    deployment.add({.before = web('b'), .after = web('a'), .outcome = Outcome::rolled_back});
    CHECK(deployment.previous(web('a')) == nullptr);
}

TEST_CASE("the history does not grow for ever")
{
    Deployment deployment;
    for (int time = 0; time < 30; ++time)
        deployment.add({.time_ns = time, .before = {}, .after = {}});
    REQUIRE(deployment.history.size() == 20);
    CHECK(deployment.history.front().time_ns == 10);
}

TEST_CASE("names of services")
{
    CHECK(unit_name("web") == "web.service");
    CHECK(unit_name("web@1.service") == "web@1.service");
    for (const char* bad : {"web.socket", "../web", "a/b.service", "", ".service", "a\nb"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(unit_name(bad), Error);
    }
}

TEST_CASE("one owner at a time, who saves; others read")
{
    const Scratch scratch;
    const model::Layout layout{scratch.path()};
    OwnedDeployment owned{layout, "web.service"};
    CHECK_THROWS_WITH_AS((OwnedDeployment{layout, "web.service"}),
                         "\"web.service\" is being updated by another command", Error);
    owned->pins = web('a');
    CHECK(load(layout, "web.service").pins.empty());
    owned.save();
    CHECK(load(layout, "web.service").pins == web('a'));
    CHECK(all_units(layout) == std::vector<std::string>{"web.service"});
    CHECK(images_in_use(layout) == std::set<model::ImageId>{web('a').begin()->second});
}
