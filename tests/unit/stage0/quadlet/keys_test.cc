// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/keys.hh"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "stage0/quadlet/container.hh"
#include "stage0/quadlet/network.hh"
#include "stage0/quadlet/translate.hh"

using namespace rocket;
using namespace rocket::quadlet;

namespace
{

std::vector<std::string_view> documented(std::string_view section)
{
    std::vector<std::string_view> keys;
    for (const auto& help : key_help())
        if (help.section == section)
            keys.push_back(help.key);
    return keys;
}

bool is_supported(const std::string& section, std::string_view key)
{
    UnitFile file{.name = section == "Image"    ? "x.image"
                          : section == "Volume" ? "x.volume"
                                                : "x.network",
                  .path = "/e/x"};
    file.add("[" + section + "]\n" + std::string{key} + "=no\n", file.path);
    const auto made = translate({file}, "/bin/rocket");
    return made.problems.empty() || made.problems.front().text.find("this key is not supported") == std::string::npos;
}

} // namespace

TEST_CASE("quadlet: every key of [Container] and [Pod] is documented, and no other")
{
    CHECK(documented("Container") == container_keys());
    CHECK(documented("Socket") == socket_keys());
    CHECK(documented("Pod") == pod_keys());
    for (const auto& refusal : refused_keys()) {
        CHECK(std::ranges::count(container_keys(), refusal.key) == 0);
        CHECK(std::ranges::count(pod_keys(), refusal.key) == 0);
    }
    for (const char* key : {"PidsLimit", "PodmanArgs", "SeccompProfile", "StopSignal", "StopTimeout"})
        CHECK(std::ranges::count(refused_keys(), std::string_view{key}, &Refusal::key) == 1);
}

TEST_CASE("quadlet: every key of [Network] is documented, and no other")
{
    CHECK(documented("Network") == network_keys());
    for (const char* key : {"DisableDNS", "GlobalArgs", "NetworkDeleteOnStop", "PodmanArgs", "ServiceName"})
        CHECK_FALSE(is_supported("Network", key));
}

TEST_CASE("quadlet: of podman's keys of [Image] and [Volume] those that work are documented")
{
    const std::set<std::string_view> image{
        "AllTags",    "Arch",       "AuthFile",  "CertDir", "ContainersConfModule", "Creds",  "DecryptionKey",
        "GlobalArgs", "Image",      "ImageTag",  "OS",      "PodmanArgs",           "Policy", "Pull",
        "Retry",      "RetryDelay", "TLSVerify", "Variant"};
    const std::set<std::string_view> volume{
        "ContainersConfModule", "Copy", "Device", "Driver",    "GlobalArgs", "Group", "Image", "Label", "Options",
        "PodmanArgs",           "Type", "User",   "VolumeName"};
    for (const auto& [section, keys] : {std::pair{std::string{"Image"}, image}, {std::string{"Volume"}, volume}}) {
        std::vector<std::string_view> working;
        for (const auto key : keys)
            if (is_supported(section, key))
                working.push_back(key);
        CHECK(documented(section) == working);
    }
}
