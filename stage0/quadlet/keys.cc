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
    {"Container", "HealthCmd", "check of the app's health: text for /bin/sh, a JSON array of words, image or none"},
    {"Container", "HealthInterval", "how long after a check the next one follows"},
    {"Container", "HealthOnFailure", "what is done to an unhealthy app: none, kill, restart or stop"},
    {"Container", "HealthRetries", "how many checks in a row have to fail"},
    {"Container", "HealthStartPeriod", "how long after its start failed checks do not count"},
    {"Container", "HealthStartupCmd", "a check instead of HealthCmd= until it has passed"},
    {"Container", "HealthStartupInterval", "how long after such a check the next one follows"},
    {"Container", "HealthStartupRetries", "how many of them in a row have to fail; 0: however many do"},
    {"Container", "HealthStartupSuccess", "how many of them in a row have to pass"},
    {"Container", "HealthStartupTimeout", "how long such a check may take"},
    {"Container", "HealthTimeout", "how long a check may take"},
    {"Container", "HostName", "the pod's host name"},
    {"Container", "IP", "an IPv4 address of its own on its one network"},
    {"Container", "Image", "what runs: a reference, the path of a file, or NAME.image"},
    {"Container", "Label", "NAME=VALUE words: user labels of the app"},
    {"Container", "LogDriver", "journald, which is where the output of apps always goes"},
    {"Container", "Memory", "the memory limit, such as 512Mi"},
    {"Container", "Mount", "type=bind, volume or tmpfs, with source=, destination= and options"},
    {"Container", "Network", "none, host, default, names of networks in net.d or NAME.network[:ip=ADDRESS]"},
    {"Container", "NoNewPrivileges", "a boolean: programs of the app gain nothing by set-id bits or file capabilities"},
    {"Container", "Notify",
     "a boolean: the app itself says when it is ready (sd_notify(3)), and how it is; or healthy"},
    {"Container", "Pod", "NAME.pod: this is an app of that pod and has no service of its own"},
    {"Container", "PublishPort", "[IP:][HOSTPORT:]PORT[/PROTOCOL]: reachable through the host"},
    {"Container", "Pull",
     "when the image is fetched: always or newer (at each start; this one makes do with what is in the store), "
     "missing or never"},
    {"Container", "ReadOnly", "a boolean: the app cannot write to its root file system"},
    {"Container", "ReloadCmd", "the command that is run in the app by systemctl reload, as words"},
    {"Container", "Retry", "how many more times the image is asked for after a failure that may pass"},
    {"Container", "RetryDelay", "how long to wait before each of them"},
    {"Container", "RocketArgs", "flags of rocket-run(1) about the app: --FLAG=VALUE words"},
    {"Container", "RunInit", "a boolean without effect: there always is an init"},
    {"Container", "Secret", "NAME[,target=PATH]: a credential of the service, as a file in the app"},
    {"Container", "ServiceName", "the name of the service, without .service"},
    {"Container", "StartWithPod", "yes: all apps of a pod start with it"},
    {"Container", "StopSignal", "the signal that asks the app to end"},
    {"Container", "StopTimeout", "how long after it the app is killed, in seconds or as a time span"},
    {"Container", "Sysctl", "NAME=VALUE words: kernel parameters of the pod's namespaces"},
    {"Container", "Timezone", "local, or the name of a zone"},
    {"Container", "Tmpfs", "PATH[:mode=MODE]: an empty directory that goes with the pod"},
    {"Container", "Ulimit", "NAME=SOFT[:HARD], such as nofile=65536: a resource limit of the service and its apps"},
    {"Container", "User", "USER[:GROUP] of the app: numbers or names"},
    {"Container", "UserNS", "auto: users of the pod are nobody's on the host; or host"},
    {"Container", "Volume", "[SOURCE:]TARGET[:OPTIONS]; a source is a path, a name or NAME.volume"},
    {"Container", "WorkingDir", "the app's working directory"},

    {"Socket", "ForwardTo", "PORT in the pod: connections are handed on to it, for apps that cannot be handed sockets"},
    {"Socket", "StopWhenIdle", "with ForwardTo=: the pod is stopped when no connection was open for so long"},

    {"Pod", "AddHost", "NAME:IP, for /etc/hosts"},
    {"Pod", "DNS", "a name server, host or none"},
    {"Pod", "DNSOption", "an option of resolv.conf(5)"},
    {"Pod", "DNSSearch", "a search domain"},
    {"Pod", "GlobalArgs", "global flags of rocket(1): --FLAG=VALUE words"},
    {"Pod", "HostName", "the pod's host name"},
    {"Pod", "IP", "an IPv4 address of its own on its one network"},
    {"Pod", "Network", "none, host, default, names of networks in net.d or NAME.network[:ip=ADDRESS]"},
    {"Pod", "PodName", "the pod's host name, too"},
    {"Pod", "PublishPort", "[IP:][HOSTPORT:]PORT[/PROTOCOL]: reachable through the host"},
    {"Pod", "RocketArgs", "flags of rocket-run(1) about the pod: --FLAG=VALUE words"},
    {"Pod", "ServiceName", "the name of the service, without .service"},
    {"Pod", "Sysctl", "NAME=VALUE words: kernel parameters of the pod's namespaces"},
    {"Pod", "Ulimit", "NAME=SOFT[:HARD], such as nofile=65536: a resource limit of the service and its apps"},
    {"Pod", "UserNS", "auto: users of the pod are nobody's on the host; or host"},
    {"Pod", "Volume", "[SOURCE:]TARGET[:OPTIONS], in all apps"},

    {"Image", "GlobalArgs", "global flags of rocket(1): words"},
    {"Image", "Image", "what is fetched: a reference or the path of a file"},
    {"Image", "Policy",
     "when it is fetched: always, missing, never, or newer, which makes do with what is in the store"},
    {"Image", "Pull", "the same as Policy="},
    {"Image", "Retry", "how many more times it is asked for after a failure that may pass"},
    {"Image", "RetryDelay", "how long to wait before each of them"},
    {"Image", "ServiceName", "the name of the service, without .service"},
    {"Image", "TLSVerify", "a boolean; no: servers need not show who they are"},

    {"Network", "DNS", "a name server for its pods"},
    {"Network", "Driver", "bridge (the default), macvlan or ipvlan"},
    {"Network", "Gateway", "the host's address on the subnet before it"},
    {"Network", "IPAMDriver", "host-local (the default), or with macvlan and ipvlan dhcp"},
    {"Network", "IPRange",
     "FIRST-LAST: the addresses of the subnet before it that pods get which ask for none (IP= may be outside)"},
    {"Network", "IPv6", "a boolean: without an IPv6 subnet it gets one"},
    {"Network", "InterfaceName", "the name of the bridge"},
    {"Network", "Internal", "a boolean: nothing is forwarded to or from beyond its subnets"},
    {"Network", "Label", "NAME=VALUE words: labels of the CNI configuration"},
    {"Network", "NetworkName", "what it is called in net.d; by default as the file"},
    {"Network", "Options", "mtu=, vlan= (bridge), parent= and mode= (macvlan, ipvlan), with commas"},
    {"Network", "ServiceName", "the name of the service, without .service"},
    {"Network", "Subnet", "ADDRESS/PREFIX; by default 10.89.N.0/24, N by the name"},

    {"Volume", "Group", "the group that the directory belongs to"},
    {"Volume", "ServiceName", "the name of the service, without .service"},
    {"Volume", "User", "the user that the directory belongs to"},
    {"Volume", "VolumeName", "the name of the directory; by default as the file"},
};

} // namespace

std::span<const KeyHelp> key_help()
{
    return help;
}

} // namespace rocket::quadlet
