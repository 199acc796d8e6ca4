// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "stage0/cli/start_flags.hh"
#include "stage0/notify.hh"

using namespace rocket;
using namespace rocket::cli;
using namespace std::chrono_literals;

TEST_CASE("flags of a start become arguments of stage1's run")
{
    Context context;
    context.global.local_config = "/etc/rocket";
    StartFlags flags;
    flags.nets = {"none"};
    CHECK(check(flags, context).arguments ==
          std::vector<std::string>{"--net=none", "--local-config=/etc/rocket", "--ipc=auto"});

    context.global.debug = true;
    context.global.insecure = InsecureOptions::parse("all-run");
    flags = {.nets = {"host"},
             .names = {.dns = {"host"}, .hosts_entries = {"1.2.3.4=a"}, .hostname = "box"},
             .ipc = "parent",
             .interactive = true};
    CHECK(check(flags, context).arguments ==
          std::vector<std::string>{"--debug", "--net=host", "--interactive", "--local-config=/etc/rocket",
                                   "--hostname=box", "--dns-conf-mode=resolv=host,hosts=stage0",
                                   "--disable-capabilities-restriction", "--disable-paths", "--disable-seccomp",
                                   "--ipc=parent"});
}

TEST_CASE("flags of a start that are refused")
{
    const Context context;
    StartFlags flags;
    flags.nets = {"none"};
    flags.mds_register = true;
    CHECK_THROWS_WITH(
        check(flags, context),
        "--mds-register flag does not work with --net=none. Please use 'host', 'default' or an equivalent network");
    flags = {.nets = {"none"}, .ipc = "x"};
    CHECK_THROWS_WITH(check(flags, context), "unknown value for --ipc parameter: x");
    flags = {.nets = {"none"}, .names = {.dns = {"x"}}};
    CHECK_THROWS_WITH_AS(check(flags, context), "Invalid IP passed to --dns: x", CommandError);
}

TEST_CASE("notify: not more often than the interval")
{
    const auto start = std::chrono::steady_clock::time_point{100s};
    CHECK(notify::is_due({}, start));
    CHECK_FALSE(notify::is_due(start, start + notify::interval - 1ms));
    CHECK(notify::is_due(start, start + notify::interval));
}
