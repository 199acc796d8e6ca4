// SPDX-License-Identifier: Apache-2.0
#include "stage1/environment.hh"

#include <doctest/doctest.h>

using namespace rocket;
using namespace rocket::stage1;

namespace
{

std::string get(const std::vector<EnvVar>& environment, std::string_view name)
{
    const auto* const found = find_variable(environment, name);
    return found == nullptr ? "(unset)" : *found;
}

} // namespace

TEST_CASE("environment: the mandatory variables, byte for byte (ENV-1, cli 7.4)")
{
    const auto environment = app_environment({}, "web", {});
    const std::vector<EnvVar> expected = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"SHELL", "/bin/sh"},
        {"USER", "root"},
        {"LOGNAME", "root"},
        {"HOME", "/root"},
        {"AC_APP_NAME", "web"},
        {"container", "rocket"},
    };
    CHECK(environment == expected);
}

TEST_CASE("environment: the app's own variables are literal and win, but for those that are ours (ENV-2, ENV-3)")
{
    const model::Environment own = {{"PATH", "/x"},          {"HOME", ""},         {"DEBUG.0", "$HOME %n \"q\""},
                                    {"container", "docker"}, {"AC_APP_NAME", "z"}, {"AC_METADATA_URL", "http://evil"}};
    const auto environment = app_environment(own, "web", {});
    CHECK(get(environment, "PATH") == "/x");
    CHECK(get(environment, "HOME") == "");
    CHECK(get(environment, "DEBUG.0") == "$HOME %n \"q\"");
    CHECK(get(environment, "container") == "rocket");
    CHECK(get(environment, "AC_APP_NAME") == "web");
    CHECK(get(environment, "AC_METADATA_URL") == "(unset)"); // ENV-6
    CHECK(get(environment, "TERM") == "(unset)");
}

TEST_CASE("environment: what the pod adds")
{
    PodFacts facts;
    facts.metadata_url = "http://169.254.1.1/token";
    facts.terminals = {"a"};
    CHECK(get(app_environment({}, "a", facts), "AC_METADATA_URL") == "http://169.254.1.1/token");
    CHECK(get(app_environment({}, "a", facts), "TERM") == "vt100");
    facts.term = "xterm";
    CHECK(get(app_environment({}, "a", facts), "TERM") == "xterm");
    CHECK(get(app_environment({{"TERM", "own"}}, "a", facts), "TERM") == "own");
}
