// SPDX-License-Identifier: Apache-2.0
#include "stage1/audit.hh"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

std::string line(const std::string& place, const std::string& options)
{
    return "36 35 0:98 / " + place + " " + options + " - tmpfs none rw\n";
}

const std::vector<MountRule> rules{
    {"/", "ro,nodev"}, {"/proc", "nosuid", true, true}, {"/proc/sys", "ro"}, {"/etc/hosts", "ro", false}};
const std::string good = line("/", "ro,nosuid,nodev,relatime") + line("/proc", "rw,nosuid") +
                         line("/proc/sys", "ro,nosuid") + line("/proc/kcore", "rw");

} // namespace

TEST_CASE("audit: what is planned passes, and what may be there as well")
{
    CHECK_NOTHROW(check_mounts(rules, good));
    CHECK_NOTHROW(check_mounts(rules, good + line("/etc/hosts", "ro")));
}

TEST_CASE("audit: a mount too many, one too few, one without its option")
{
    CHECK_THROWS_WITH(check_mounts(rules, good + line("/mnt", "ro")),
                      "there is a mount on \"/mnt\" that is not planned");
    CHECK_THROWS_WITH(check_mounts(rules, good + line("/processes", "ro")),
                      "there is a mount on \"/processes\" that is not planned");
    CHECK_THROWS_WITH(check_mounts(rules, line("/", "ro,nodev") + line("/proc", "rw,nosuid")),
                      "there is no mount on \"/proc/sys\"");
    CHECK_THROWS_WITH(check_mounts(rules, good + line("/proc/sys", "rw,nosuid")),
                      "the mount on \"/proc/sys\" is not ro");
    CHECK_THROWS_WITH(check_mounts(rules, good + line("/etc/hosts", "rw")), "the mount on \"/etc/hosts\" is not ro");
    CHECK_THROWS_WITH(check_mounts(rules, ""), "there is no mount on \"/\"");
    CHECK_THROWS_AS(check_mounts(rules, "nonsense\n"), Error);
}

TEST_CASE("audit: places with blanks and backslashes")
{
    const std::vector<MountRule> odd{{"/a b\\c", ""}};
    CHECK_NOTHROW(check_mounts(odd, line("/a\\040b\\134c", "rw")));
}

TEST_CASE("audit: rules of an app follow its plan")
{
    Plan plan{.id = model::PodId::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")};
    plan.sources = {{.name = "v", .recursive = true}, {.name = "w", .recursive = false}};
    plan.apps.push_back({.name = "web", .root = "/run/host/app-web", .read_only = true});
    plan.apps[0].volumes = {{.source = 0, .target = "/v", .read_only = true}, {.source = 1, .target = "/link/w"}};
    const auto found = mount_rules(plan, {{"/v", "/real/w"}});
    const auto has = [&](const MountRule& rule) { return std::ranges::find(found, rule) != found.end(); };
    CHECK(has({"/run/host/app-web", "ro,nodev"}));
    CHECK(has({"/run/host/app-web/v", "ro,nosuid", true, true}));
    CHECK(has({"/run/host/app-web/real/w", "nosuid", true, false}));
    CHECK(has({"/run/host/app-web/proc/sys", "ro"}));
    plan.mask_paths = false;
    const auto open = mount_rules(plan, {{"/v", "/real/w"}});
    CHECK(std::ranges::find(open, MountRule{"/run/host/app-web/proc/sys", "ro"}) == open.end());
}
