// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/keys.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
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

// Why the key is refused; empty: it is not.
std::string refusal_of(std::string_view section, std::string_view key)
{
    UnitFile file{.name = "x", .path = "/e/x"};
    std::string name{section};
    name.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(name.front())));
    file.name += "." + name;
    file.add(fmt::format("[{}]\n{}=neither\n", section, key), file.path);
    const auto made = translate({file}, "/bin/rocket");
    const auto why = made.problems.empty() ? "" : made.problems.front().text;
    const auto head = fmt::format("/e/x:2: {}=neither: ", key);
    return why.starts_with(head) ? why.substr(head.size()) : std::string{};
}

// Of podman-systemd.unit(5), podman 5.6.
const std::map<std::string_view, std::vector<std::string_view>> keys_of_podman{
    {"Container",
     {"AddCapability",
      "AddDevice",
      "AddHost",
      "Annotation",
      "AppArmor",
      "AutoUpdate",
      "CgroupsMode",
      "ContainerName",
      "ContainersConfModule",
      "DNS",
      "DNSOption",
      "DNSSearch",
      "DropCapability",
      "Entrypoint",
      "Environment",
      "EnvironmentFile",
      "EnvironmentHost",
      "Exec",
      "ExposeHostPort",
      "GIDMap",
      "GlobalArgs",
      "Group",
      "GroupAdd",
      "HealthCmd",
      "HealthInterval",
      "HealthLogDestination",
      "HealthMaxLogCount",
      "HealthMaxLogSize",
      "HealthOnFailure",
      "HealthRetries",
      "HealthStartPeriod",
      "HealthStartupCmd",
      "HealthStartupInterval",
      "HealthStartupRetries",
      "HealthStartupSuccess",
      "HealthStartupTimeout",
      "HealthTimeout",
      "HostName",
      "HttpProxy",
      "Image",
      "IP",
      "IP6",
      "Label",
      "LogDriver",
      "LogOpt",
      "Mask",
      "Memory",
      "Mount",
      "Network",
      "NetworkAlias",
      "NoNewPrivileges",
      "Notify",
      "PidsLimit",
      "Pod",
      "PodmanArgs",
      "PublishPort",
      "Pull",
      "ReadOnly",
      "ReadOnlyTmpfs",
      "ReloadCmd",
      "ReloadSignal",
      "Retry",
      "RetryDelay",
      "Rootfs",
      "RunInit",
      "SeccompProfile",
      "Secret",
      "SecurityLabelDisable",
      "SecurityLabelFileType",
      "SecurityLabelLevel",
      "SecurityLabelNested",
      "SecurityLabelType",
      "ServiceName",
      "ShmSize",
      "StartWithPod",
      "StopSignal",
      "StopTimeout",
      "SubGIDMap",
      "SubUIDMap",
      "Sysctl",
      "Timezone",
      "Tmpfs",
      "UIDMap",
      "Ulimit",
      "Unmask",
      "User",
      "UserNS",
      "Volume",
      "WorkingDir"}},
    {"Pod", {"AddHost", "ContainersConfModule", "DNS",        "DNSOption", "DNSSearch",   "ExitPolicy",
             "GIDMap",  "GlobalArgs",           "HostName",   "IP",        "IP6",         "Label",
             "Network", "NetworkAlias",         "PodmanArgs", "PodName",   "PublishPort", "ServiceName",
             "ShmSize", "StopTimeout",          "SubGIDMap",  "SubUIDMap", "UIDMap",      "UserNS",
             "Volume"}},
    {"Network",
     {"ContainersConfModule", "DisableDNS", "DNS", "Driver", "Gateway", "GlobalArgs", "InterfaceName", "Internal",
      "IPAMDriver", "IPRange", "IPv6", "Label", "NetworkDeleteOnStop", "NetworkName", "Options", "PodmanArgs",
      "ServiceName", "Subnet"}},
    {"Volume",
     {"ContainersConfModule", "Copy", "Device", "Driver", "GlobalArgs", "Group", "Image", "Label", "Options",
      "PodmanArgs", "ServiceName", "Type", "User", "VolumeName"}},
    {"Image",
     {"AllTags", "Arch", "AuthFile", "CertDir", "ContainersConfModule", "Creds", "DecryptionKey", "GlobalArgs", "Image",
      "ImageTag", "OS", "PodmanArgs", "Policy", "Retry", "RetryDelay", "ServiceName", "TLSVerify", "Variant"}}};

} // namespace

TEST_CASE("quadlet: every key of [Container] and [Pod] is documented, and no other")
{
    CHECK(documented("Container") == container_keys());
    CHECK(documented("Socket") == socket_keys());
    CHECK(documented("Pod") == pod_keys());
    CHECK(documented("Network") == network_keys());
}

TEST_CASE("quadlet: every key of podman is documented, or refused with what to do instead")
{
    for (const auto& one : keys_of_podman) {
        const auto section = one.first;
        const auto works = documented(section);
        for (const auto key : one.second) {
            CAPTURE(section);
            CAPTURE(key);
            const bool is_refused = std::ranges::any_of(refused_keys(), [&](const Refusal& known) {
                return known.key == key && (known.section == section || known.section == "any");
            });
            CHECK(is_refused != (std::ranges::find(works, key) != works.end()));
            const auto why = refusal_of(section, key);
            CHECK(why != "this key is not supported");
            if (is_refused)
                CHECK(why.size() > 10);
        }
    }
    CHECK(refusal_of("Container", "Foo") == "this key is not supported");
}
