// SPDX-License-Identifier: Apache-2.0
#include "stage1/handed_sockets.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

std::string app(const std::string& name, const std::string& ports = "")
{
    return fmt::format(R"({{"name":"{}","image":{{"id":"sha512-{}"}},"app":{{"exec":["/x"],"user":"0","group":"0",)"
                       R"("ports":[{}]}}}})",
                       name, std::string(64, 'a'), ports);
}

std::string port(const std::string& name, int number, bool activated = true)
{
    return fmt::format(R"({{"name":"{}","port":{},"protocol":"tcp","socketActivated":{}}})", name, number, activated);
}

Pod pod_of(const std::string& apps, const std::string& ports = "")
{
    return {.id = model::PodId::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            .dir = {},
            .manifest = model::PodManifest::parse(fmt::format(
                R"({{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{}],"ports":[{}]}})", apps, ports)),
            .runtime = {},
            .images = {}};
}

} // namespace

TEST_CASE("sockets: the name of a port or of an app says whose a socket is")
{
    const auto pod = pod_of(app("web", port("http", 80, false)) + "," + app("db", port("sql", 5432)));
    CHECK(assign({"http", 8080}, pod).app == 0);
    CHECK(assign({"db", 8080}, pod).app == 1);
    CHECK(assign({"sql", 0}, pod).name == "sql");
}

TEST_CASE("sockets: else the number at which a socket-activated port is published, or that it has")
{
    const auto pod =
        pod_of(app("web", port("http", 80) + "," + port("plain", 81, false)) + "," + app("db", port("sql", 5432)),
               R"({"name":"http","hostPort":8080})");
    CHECK(assign({"web.socket", 8080}, pod).app == 0);
    CHECK(assign({"web.socket", 8080}, pod).name == "http");
    CHECK(assign({"x.socket", 5432}, pod).app == 1);
    CHECK_THROWS_AS(assign({"x.socket", 80}, pod), Error); // it is published elsewhere
    CHECK_THROWS_AS(assign({"x.socket", 81}, pod), Error); // the app opens that one itself
}

TEST_CASE("sockets: an app that is alone takes what is left, among several nobody does")
{
    CHECK(assign({"unknown", 0, "ListenStream=/run/s"}, pod_of(app("web"))).name == "unknown");
    CHECK_THROWS_WITH_AS(assign({"unknown", 0, "ListenStream=/run/s"}, pod_of(app("a") + "," + app("b"))),
                         "no app takes the socket \"unknown\" (ListenStream=/run/s)", Error);
    CHECK_THROWS_WITH_AS(assign({"http"}, pod_of(app("a", port("http", 1)) + "," + app("b", port("http", 2)))),
                         "more than one app has a port \"http\"", Error);
}

TEST_CASE("sockets: the units by which PID 1 hands them over")
{
    const auto pod = pod_of(app("web") + "," + app("db"));
    CHECK(units_for({}, pod).empty());
    const auto units = units_for({{0, "web", "ListenStream=1.2.3.4:80"}, {0, "100%", "ListenDatagram=[::]:80"}}, pod);
    REQUIRE(units.size() == 5);
    CHECK(units[0].first == "rocket-0.socket");
    CHECK(units[0].second == "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=1.2.3.4:80\n"
                             "Service=rocket-sockets.service\nFileDescriptorName=web\n");
    CHECK(units[1].second.ends_with("FileDescriptorName=100%%\n"));
    CHECK(units[2].first == "app-web.service.d/sockets.conf");
    CHECK(units[2].second == "[Service]\nSockets=rocket-0.socket rocket-1.socket\n");
    CHECK(units[3].second == "[Unit]\nWants=rocket-0.socket rocket-1.socket\n");
}
