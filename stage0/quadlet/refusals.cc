// SPDX-License-Identifier: Apache-2.0
// Keys of podman's Quadlet that are refused, and what to do instead.
#include <algorithm>

#include "stage0/quadlet/container.hh"

namespace rocket::quadlet
{

namespace
{

constexpr std::string_view ids = "say UserNS=auto for ids of the pod's own";
constexpr std::string_view label =
    "the isolator os/linux/selinux-context says it: see APPARMOR AND SELINUX in rocket(1)";
constexpr std::string_view last_check = "the last check's output is in `rocket status --format=json`";
constexpr std::string_view directory = "a volume is a directory below /var/lib/rocket-volumes: mount there by a .mount "
                                       "unit what is to be something else";
constexpr std::string_view one_platform = "what is fetched is for this host";
constexpr std::string_view one_image = "a .image file is about one image";

constexpr Refusal refusals[] = {
    {"any", "ContainersConfModule", "containers.conf is not read: see rocket-config(5)"},

    {"Container", "AppArmor", "the isolator os/linux/apparmor-profile says it: see APPARMOR AND SELINUX in rocket(1)"},
    {"Container", "CgroupsMode", "a pod always has a cgroup of its own, below that of its service", "split"},
    {"Container", "ExposeHostPort", "say PublishPort= for ports that are to be reachable"},
    {"Container", "GIDMap", ids},
    {"Container", "HealthLogDestination", last_check},
    {"Container", "HealthMaxLogCount", last_check},
    {"Container", "HealthMaxLogSize", last_check},
    {"Container", "HttpProxy", "say EnvironmentHost= or Environment= for what apps are to know of a proxy", "no"},
    {"Container", "IP6", "IPv6 addresses are given out by the network"},
    {"Container", "LogOpt", "what apps say goes to the journal, which has limits of its own (journald.conf(5))"},
    {"Container", "Mask", "what is hidden from apps is hidden from all of them"},
    {"Container", "NetworkAlias", "pods of one network find each other by their HostName="},
    {"Container", "PidsLimit", "say TasksMax= in [Service], for the whole pod"},
    {"Container", "PodmanArgs", "say RocketArgs= with flags of `rocket run`"},
    {"Container", "ReadOnlyTmpfs", "with ReadOnly= say Tmpfs= for each directory that is to be writable", "no"},
    {"Container", "ReloadSignal", "say ReloadCmd= with a program of the image that sends it, such as pkill"},
    {"Container", "Rootfs", "an app needs an image"},
    {"Container", "SeccompProfile", "say RocketArgs=--seccomp=mode=...,CALL,... instead of a file"},
    {"Container", "SecurityLabelDisable", label, "yes"},
    {"Container", "SecurityLabelFileType", label},
    {"Container", "SecurityLabelLevel", label},
    {"Container", "SecurityLabelNested", label, "no"},
    {"Container", "SecurityLabelType", label},
    {"Container", "ShmSize", "/dev/shm has 64 MiB, for all apps of a pod together", "64m"},
    {"Container", "SubGIDMap", ids},
    {"Container", "SubUIDMap", ids},
    {"Container", "UIDMap", ids},
    {"Container", "Unmask", "what is hidden from apps is hidden from all of them"},

    {"Image", "AllTags", one_image},
    {"Image", "Arch", one_platform},
    {"Image", "AuthFile", "credentials are in /etc/rocket/auth.d: see rocket-config(5)"},
    {"Image", "CertDir", "certificates are those that the host trusts: see update-ca-certificates(8)"},
    {"Image", "Creds", "credentials are in /etc/rocket/auth.d: see rocket-config(5)"},
    {"Image", "DecryptionKey", "encrypted images are not supported"},
    {"Image", "ImageTag", one_image},
    {"Image", "OS", one_platform},
    {"Image", "PodmanArgs", "say GlobalArgs= with global flags of `rocket`"},
    {"Image", "Variant", one_platform},

    {"Network", "DisableDNS",
     "names are in /etc/hosts of pods with a HostName=; there is no name server to be disabled", "no"},
    {"Network", "GlobalArgs", "`rocket` has no part in making a network"},
    {"Network", "NetworkDeleteOnStop",
     "its configuration always goes when it is stopped; its bridge stays for the next start", "no"},
    {"Network", "PodmanArgs", "`rocket` has no part in making a network"},

    {"Pod", "ExitPolicy", "a pod ends when its last app has ended: say [Service] Restart= for one that is to go on",
     "stop"},
    {"Pod", "GIDMap", ids},
    {"Pod", "IP6", "IPv6 addresses are given out by the network"},
    {"Pod", "Label", "say Label= in its containers"},
    {"Pod", "NetworkAlias", "pods of one network find each other by their HostName="},
    {"Pod", "PodmanArgs", "say RocketArgs= with flags of `rocket run`"},
    {"Pod", "ShmSize", "/dev/shm has 64 MiB, for all apps of a pod together", "64m"},
    {"Pod", "StopTimeout", "say StopTimeout= in its containers, and TimeoutStopSec= in [Service] for all of them"},
    {"Pod", "SubGIDMap", ids},
    {"Pod", "SubUIDMap", ids},
    {"Pod", "UIDMap", ids},

    {"Volume", "Copy", directory},
    {"Volume", "Device", directory},
    {"Volume", "Driver", directory, "local"},
    {"Volume", "GlobalArgs", "`rocket` has no part in making a volume"},
    {"Volume", "Image", directory},
    {"Volume", "Label", "a directory has no labels"},
    {"Volume", "Options", directory},
    {"Volume", "PodmanArgs", "`rocket` has no part in making a volume"},
    {"Volume", "Type", directory},
};

bool says(const Entry& entry, std::string_view value)
{
    const bool is_boolean = value == "yes" || value == "no";
    return !value.empty() && (is_boolean ? bool_value(entry) == (value == "yes") : entry.value == value);
}

} // namespace

std::span<const Refusal> refused_keys()
{
    return refusals;
}

void refuse_key(const Entry& entry, std::string_view section)
{
    const auto* const refusal = std::ranges::find_if(refusals, [&](const Refusal& one) {
        return one.key == entry.key && (one.section == section || one.section == "any");
    });
    if (refusal == std::end(refusals))
        refuse(entry, "this key is not supported");
    if (!says(entry, refusal->but))
        refuse(entry, refusal->why);
}

} // namespace rocket::quadlet
