// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/keys.hh"

namespace rocket::quadlet
{

namespace
{

constexpr KeyHelp help[] = {
    {"Container", "AddCapability", "capabilities beside those that apps have by default; words"},
    {"Container", "AddDevice", "/dev/NAME[:TARGET]: a device node of the host"},
    {"Container", "AddHost", "NAME:IP, for /etc/hosts"},
    {"Container", "Annotation", "NAME=VALUE words: user annotations of the app"},
    {"Container", "AutoUpdate", "registry: the service is one of those that rocket-update(1) --all is about"},
    {"Container", "ContainerName", "the app's name; by default that of the file"},
    {"Container", "DNS", "a name server, host or none"},
    {"Container", "DNSOption", "an option of resolv.conf(5)"},
    {"Container", "DNSSearch", "a search domain"},
    {"Container", "DropCapability", "capabilities that are taken away; all means every one"},
    {"Container", "Entrypoint", "the program that runs instead of the image's"},
    {"Container", "Environment", "NAME=VALUE words"},
    {"Container", "EnvironmentFile", "a file with NAME=VALUE lines, for all apps"},
    {"Container", "EnvironmentHost", "a boolean: apps inherit the environment of the service"},
    {"Container", "Exec", "the program's arguments, as words"},
    {"Container", "GlobalArgs", "global flags of rocket(1): --FLAG=VALUE words"},
    {"Container", "Group", "the group of the app: number or name"},
    {"Container", "GroupAdd", "a supplementary group, as a number"},
    {"Container", "HostName", "the pod's host name"},
    {"Container", "Image", "what runs: a reference, the path of a file, or NAME.image"},
    {"Container", "Label", "NAME=VALUE words: user labels of the app"},
    {"Container", "LogDriver", "journald, which is where the output of apps always goes"},
    {"Container", "Memory", "the memory limit, such as 512Mi"},
    {"Container", "Mount", "type=bind, volume or tmpfs, with source=, destination= and options"},
    {"Container", "Network", "none, host, default, or names of networks in net.d"},
    {"Container", "Notify", "a boolean: the app itself says when it is ready (sd_notify(3)), and how it is"},
    {"Container", "Pod", "NAME.pod: this is an app of that pod and has no service of its own"},
    {"Container", "PublishPort", "[IP:][HOSTPORT:]PORT[/PROTOCOL]: reachable through the host"},
    {"Container", "Pull", "when the image is fetched: always, missing, never or newer"},
    {"Container", "ReadOnly", "a boolean: the app cannot write to its root file system"},
    {"Container", "RocketArgs", "flags of rocket-run(1) about the app: --FLAG=VALUE words"},
    {"Container", "RunInit", "a boolean without effect: there always is an init"},
    {"Container", "Secret", "NAME[,target=PATH]: a credential of the service, as a file in the app"},
    {"Container", "ServiceName", "the name of the service, without .service"},
    {"Container", "Timezone", "local, or the name of a zone"},
    {"Container", "Tmpfs", "PATH[:mode=MODE]: an empty directory that goes with the pod"},
    {"Container", "User", "USER[:GROUP] of the app: numbers or names"},
    {"Container", "UserNS", "auto: users of the pod are nobody's on the host; or host"},
    {"Container", "Volume", "[SOURCE:]TARGET[:OPTIONS]; a source is a path, a name or NAME.volume"},
    {"Container", "WorkingDir", "the app's working directory"},

    {"Pod", "AddHost", "NAME:IP, for /etc/hosts"},
    {"Pod", "DNS", "a name server, host or none"},
    {"Pod", "DNSOption", "an option of resolv.conf(5)"},
    {"Pod", "DNSSearch", "a search domain"},
    {"Pod", "GlobalArgs", "global flags of rocket(1): --FLAG=VALUE words"},
    {"Pod", "HostName", "the pod's host name"},
    {"Pod", "Network", "none, host, default, or names of networks in net.d"},
    {"Pod", "PodName", "the pod's host name, too"},
    {"Pod", "PublishPort", "[IP:][HOSTPORT:]PORT[/PROTOCOL]: reachable through the host"},
    {"Pod", "RocketArgs", "flags of rocket-run(1) about the pod: --FLAG=VALUE words"},
    {"Pod", "ServiceName", "the name of the service, without .service"},
    {"Pod", "UserNS", "auto: users of the pod are nobody's on the host; or host"},
    {"Pod", "Volume", "[SOURCE:]TARGET[:OPTIONS], in all apps"},

    {"Image", "GlobalArgs", "global flags of rocket(1): words"},
    {"Image", "Image", "what is fetched: a reference or the path of a file"},
    {"Image", "Policy", "when it is fetched: always, missing, never or newer"},
    {"Image", "Pull", "the same as Policy="},
    {"Image", "TLSVerify", "a boolean; no: servers need not show who they are"},

    {"Volume", "Group", "the group that the directory belongs to"},
    {"Volume", "User", "the user that the directory belongs to"},
};

} // namespace

std::span<const KeyHelp> key_help()
{
    return help;
}

} // namespace rocket::quadlet
