// SPDX-License-Identifier: Apache-2.0
#include "stage1/channel.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;

namespace
{

AppSpec spec(const char* name)
{
    AppSpec app{.name = name};
    app.main = {.path = "/bin/x", .argv = {"x"}};
    return app;
}

} // namespace

TEST_CASE("channel: apps arrive in order, the end of the stream is success")
{
    auto [parent, child] = make_channel();
    child.send(spec("a"));
    child.send(spec("b"));
    child.close();
    const auto apps = parent.receive(2);
    REQUIRE(apps.size() == 2);
    CHECK(apps[0] == spec("a"));
    CHECK(apps[1] == spec("b"));
}

TEST_CASE("channel: an error of the child is thrown as it was, also after the apps")
{
    auto [parent, child] = make_channel();
    child.send(spec("a"));
    Error error{Error::Kind::usage, "cause", "do this"};
    error.add_context("step");
    child.send(error);
    child.close();
    CHECK_THROWS_WITH(parent.receive(1), "step: cause");
}

TEST_CASE("channel: a child that ends silently is an error")
{
    auto [parent, child] = make_channel();
    child.close();
    CHECK_THROWS_AS(parent.receive(1), Error);
}

TEST_CASE("channel: looking for an error does not wait")
{
    auto [parent, child] = make_channel();
    CHECK_FALSE(parent.error_if_any());
    child.send(Error{Error::Kind::system, "failed"});
    const auto error = parent.error_if_any();
    REQUIRE(error);
    CHECK(error->innermost() == "failed");
}

TEST_CASE("channel: the child waits for go, and notices that the parent is gone")
{
    auto [parent, child] = make_channel();
    CHECK_FALSE(child.parent_is_gone());
    parent.go();
    CHECK_NOTHROW(child.wait_for_go());
    parent.close();
    CHECK(child.parent_is_gone());
    CHECK_THROWS_WITH(child.wait_for_go(), "the supervisor is gone");
    CHECK_NOTHROW(child.send(Error{Error::Kind::system, "nobody listens"}));
}
