// SPDX-License-Identifier: Apache-2.0
#include "stage0/pod/stage1_interface.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::pod;
using Words = std::vector<std::string>;

namespace
{

std::string manifest(const std::string& version)
{
    const auto annotation = R"({"name":"coreos.com/rkt/stage1/interface-version","value":")" + version + "\"}";
    return fmt::format(R"({{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/s","annotations":[{}]}})",
                       version.empty() ? "" : annotation);
}

Words warnings;

Words fit(Words words, int version)
{
    warnings.clear();
    return understood(std::move(words), version, [](const std::string& warning) { warnings.push_back(warning); });
}

} // namespace

TEST_CASE("stage1 interface: its version is 1 unless it says so")
{
    CHECK(interface_version(manifest("")) == 1);
    CHECK(interface_version(manifest("6")) == 6);
    for (const char* bad : {"0", "-1", "six", "1.5"})
        CHECK_THROWS_AS(interface_version(manifest(bad)), Error);
}

TEST_CASE("stage1 interface: what is newer than the stage1 is left out, and said (internals 3.2)")
{
    const Words all{"--net=host", "--hostname=x", "--dns-conf-mode=resolv=host,hosts=host", "--ipc=private"};
    CHECK(fit(all, 6) == all);
    CHECK(warnings.empty());
    CHECK(fit(all, 4) == Words{all[0], all[1], all[2]});
    CHECK(warnings == Words{"--ipc needs a stage1 of interface version 6, and this one has version 4: it is left out"});
    CHECK(fit(all, 1) == Words{all[0]});
    CHECK(warnings.size() == 3);
    CHECK(fit({"--ipc=auto"}, 1).empty());
    CHECK(warnings.empty());
}

TEST_CASE("stage1 interface: nothing about security is left out (internals S20)")
{
    for (const char* flag : {"--disable-capabilities-restriction", "--disable-paths", "--disable-seccomp"}) {
        CHECK(fit({flag}, 3) == Words{flag});
        CHECK_THROWS_AS(fit({flag}, 2), Error);
    }
    CHECK(fit({"--mds-register"}, 7) == Words{"--mds-register"});
    CHECK_THROWS_AS(fit({"--mds-register"}, 6), Error);
}
