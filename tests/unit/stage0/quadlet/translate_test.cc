// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/translate.hh"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/sys/error.hh"
#include "tests/unit/stage0/quadlet/translated.hh"

using namespace rocket;
using namespace rocket::quadlet;

TEST_CASE("quadlet: a container becomes a service, and its image is fetched before")
{
    const auto result = translated({{"web.container", "[Unit]\nDescription=Web\n[Container]\nImage=quay.example/web:1\n"
                                                      "Exec=-v \"two words\"\n[Service]\nRestart=always\n[Install]\n"
                                                      "WantedBy=multi-user.target default.target\n"}});
    CHECK(result.problems.empty());
    CHECK(result.units.at("web.service").text == R"(# Made by rocket-generator from /e/web.container

[Unit]
Description=Web
SourcePath=/e/web.container
Requires=web-image.service
After=web-image.service

[Service]
Restart=always
Type=notify
NotifyAccess=main
KillMode=mixed
Delegate=yes
SyslogIdentifier=%N
ExecStart=/bin/rocket run --uuid-file-save=%t/rocket-%N.uuid --pull-policy=never docker://quay.example/web:1 --name=web -- -v "two words"
ExecStopPost=-/bin/rocket rm --uuid-file=%t/rocket-%N.uuid
)");
    CHECK(result.units.at("web.service").links ==
          std::vector<std::string>{"multi-user.target.wants/web.service", "default.target.wants/web.service"});
    CHECK(result.start("web-image.service") == "/bin/rocket fetch --pull-policy=new docker://quay.example/web:1");
    CHECK(result.values("web-image.service", "TimeoutStartSec") == std::vector<std::string>{"infinity"});
    CHECK(result.values("web-image.service", "RemainAfterExit") == std::vector<std::string>{"yes"});
}

TEST_CASE("quadlet: keys of a container")
{
    CHECK(flags_of("") == "/i.aci --name=a");
    CHECK(flags_of("Environment=A=1 \"B=x $y\"") == "/i.aci --environment=A=1 \"--environment=B=x $$y\" --name=a");
    CHECK(flags_of("User=7:8\nGroupAdd=9\nGroupAdd=10") ==
          "/i.aci --user=7 --group=8 --supplementary-gids=9,10 --name=a");
    CHECK(flags_of("Entrypoint=/x\nWorkingDir=/w\nReadOnly=yes\nMemory=16M") ==
          "/i.aci --exec=/x --working-dir=/w --readonly-rootfs=true --memory=16M --name=a");
    CHECK(flags_of("Network=host\nHostName=h\nDNS=192.0.2.1\nAddHost=db:192.0.2.2") ==
          "--hostname=h --dns=192.0.2.1 --hosts-entry=192.0.2.2=db --net=host /i.aci --name=a");
    CHECK(flags_of("PublishPort=127.0.0.1:8080:80\nPublishPort=53:53/udp") ==
          "--port=80-tcp:127.0.0.1:8080 --port=53-udp:53 /i.aci --name=a");
    CHECK(flags_of("DropCapability=all\nAddCapability=net_bind_service") ==
          "/i.aci --caps-retain=CAP_NET_BIND_SERVICE --name=a");
    CHECK(flags_of("DropCapability=ALL").starts_with("/i.aci --caps-remove=CAP_"));
    CHECK(flags_of("Timezone=local")
              .starts_with("--volume=a-v1,kind=host,source=%t/rocket-%N-a-v1.localtime,readOnly=true"));
    CHECK(flags_of("Volume=/s:/t:ro\nTmpfs=/tmp") ==
          "--volume=a-v1,kind=host,source=/s,readOnly=true --volume=a-v2,kind=empty,mode=1777 /i.aci "
          "--mount=volume=a-v1,target=/t --mount=volume=a-v2,target=/tmp --name=a");
    CHECK(flags_of("Secret=key") == "--volume=a-v1,kind=host,source=%d/key,readOnly=true,recursive=false /i.aci "
                                    "--mount=volume=a-v1,target=/run/secrets/key --name=a");
    CHECK(flags_of("Notify=true\nContainerName=web") == "/i.aci --notify=ready --name=web");
    CHECK(flags_of("HealthCmd=test $X = 1\nHealthInterval=5s\nNotify=healthy") ==
          "/i.aci \"--health-cmd=test $$X = 1\" --health-interval=5s --notify=healthy --name=a");
    CHECK(flags_of("HealthOnFailure=kill") == "/i.aci --health-on-failure=kill --health-cmd=image --name=a");
    CHECK(flags_of("Exec=--- \\\\---") == R"(/i.aci --name=a -- "\\---" "\\\\---")");
}

TEST_CASE("quadlet: nothing is ignored, and what is refused is named with its line")
{
    CHECK(problem_of("Foo=1") == "/e/a.container:3: Foo=1: this key is not supported");
    CHECK(problem_of("PodmanArgs=--tty").starts_with("/e/a.container:3: PodmanArgs=--tty: say RocketArgs="));
    for (const char* bad : {"HealthInterval=soon",
                            "HealthOnFailure=reboot",
                            "HealthLogDestination=x",
                            "Notify=maybe",
                            "PodmanArgs=--tty",
                            "Volume=a/b:/c",
                            "Volume=/a:c",
                            "Volume=/a:/b:U",
                            "Volume=/a:/b:ro:x",
                            "Tmpfs=/t:size=1m",
                            "PublishPort=80",
                            "PublishPort=8080:",
                            "PublishPort=a:b",
                            "Environment=A",
                            "Environment=\"A=1",
                            "ReadOnly=maybe",
                            "AddHost=x",
                            "ContainerName=A B",
                            "Entrypoint=/a b",
                            "Secret=x,type=env",
                            "Secret=a/b",
                            "Network=x.network",
                            "AddCapability=all",
                            "Pull=often",
                            "UserNS=keep-id",
                            "AddDevice=x",
                            "RocketArgs=net",
                            "Pod=none.pod",
                            "[Pod]\nPodName=x",
                            "[Service]\nType=forking",
                            "[Service]\nExecStart=/x",
                            "[Service]\nRestart=unless-stopped",
                            "[Install]\nAlso=x",
                            "[Install]\nWantedBy=../x",
                            "Image=x.build",
                            "Image=none.image",
                            "Volume=none.volume:/x:nope"}) {
        CAPTURE(bad);
        CHECK(problem_of(bad).starts_with("/e/a.container:"));
    }
    CHECK(translated({{"a.container", "[Unit]\n"}}).problems.at(0).text ==
          "/e/a.container: there is no section [Container]");
    CHECK(translated({{"a.kube", "[Kube]\n"}}).problems.size() == 1);
}

TEST_CASE("quadlet: services that are updated by themselves are marked")
{
    const auto result = translated({{"a.container", "[Container]\nImage=/i.aci\nAutoUpdate=registry\n"},
                                    {"b.container", "[Container]\nImage=/i.aci\n"}});
    CHECK(result.units.at("a.service").auto_update);
    CHECK_FALSE(result.units.at("b.service").auto_update);
    CHECK(problem_of("AutoUpdate=local").starts_with("/e/a.container:3: AutoUpdate=local: only registry"));
}

TEST_CASE("quadlet: a section [Socket] is a unit that starts the service on demand")
{
    const auto result = translated({{"web.container", "[Container]\nImage=/i.aci\n[Socket]\nListenStream=80\n"}});
    CHECK(result.problems.empty());
    CHECK(result.units.at("web.socket").text == R"(# Made by rocket-generator from /e/web.container

[Unit]
Description=Sockets of web
SourcePath=/e/web.container

[Socket]
ListenStream=80
FileDescriptorName=web
)");
    CHECK(result.units.at("web.socket").links == std::vector<std::string>{"sockets.target.wants/web.socket"});
    CHECK(result.values("web.service", "Requires") == std::vector<std::string>{"web.socket"});
    CHECK(result.values("web.service", "StartLimitIntervalSec") == std::vector<std::string>{"0"});
}

TEST_CASE("quadlet: with a section [Socket], [Install] is about the socket")
{
    const auto result = translated({{"web.container", "[Container]\nImage=/i.aci\n[Socket]\nListenStream=80\n"
                                                      "[Install]\nWantedBy=multi-user.target\nAlias=www.service\n"}});
    CHECK(result.problems.empty());
    CHECK(result.units.at("web.socket").links ==
          std::vector<std::string>{"sockets.target.wants/web.socket", "multi-user.target.wants/web.socket"});
    CHECK(result.units.at("web.service").links == std::vector<std::string>{"www.service"});
}

TEST_CASE("quadlet: sockets of members of a pod, and of templates")
{
    const auto result = translated({{"a.container", "[Container]\nImage=/i.aci\nPod=p.pod\n[Socket]\nListenStream=80\n"
                                                    "FileDescriptorName=http\n"},
                                    {"p.pod", "[Pod]\n"},
                                    {"t@.container", "[Container]\nImage=/i.aci\n[Socket]\nListenStream=/run/%i\n"}});
    CHECK(result.problems.empty());
    CHECK(result.values("a.socket", "Service") == std::vector<std::string>{"p-pod.service"});
    CHECK(result.values("a.socket", "FileDescriptorName") == std::vector<std::string>{"http"});
    CHECK(result.values("t@.socket", "Service").empty());
    CHECK(result.values("t@.service", "Requires") == std::vector<std::string>{"t@%i.socket"});
}

TEST_CASE("quadlet: connections of an app that cannot be handed sockets are forwarded")
{
    const auto result = translated({{"web.container", "[Container]\nImage=/i.aci\nGlobalArgs=--dir=/d\n[Socket]\n"
                                                      "ListenStream=8080\nForwardTo=80\nStopWhenIdle=1min\n"},
                                    {"t@.container", "[Container]\nImage=/i.aci\n[Socket]\nListenStream=/run/%i\n"
                                                     "ForwardTo=80\n"}});
    CHECK(result.problems.empty());
    CHECK(result.values("web.socket", "Service") == std::vector<std::string>{"web-proxy.service"});
    CHECK(result.values("web.socket", "ForwardTo").empty());
    CHECK(result.values("web.socket", "FileDescriptorName").empty());
    CHECK(result.start("web-proxy.service") ==
          "/bin/rocket --dir=/d forward --uuid-file=%t/rocket-web.uuid --exit-idle-time=60000000us 80");
    CHECK(result.values("web-proxy.service", "BindsTo") == std::vector<std::string>{"web.service"});
    CHECK(result.values("web.service", "StopWhenUnneeded") == std::vector<std::string>{"yes"});
    CHECK(result.values("web.service", "Requires").empty());
    CHECK(result.values("t@.socket", "Service") == std::vector<std::string>{"t-proxy@%i.service"});
    CHECK(result.start("t-proxy@.service") == "/bin/rocket forward --uuid-file=%t/rocket-t@%i.uuid 80");
    CHECK(result.values("t-proxy@.service", "BindsTo") == std::vector<std::string>{"t@%i.service"});
    CHECK(result.values("t@.service", "StopWhenUnneeded").empty());
}

TEST_CASE("quadlet: a service of another user has ids, a state directory and a place for the pod's name")
{
    for (const char* user : {"User=web", "DynamicUser=yes"}) {
        CAPTURE(user);
        const auto made =
            translated({{"a.container", fmt::format("[Container]\nImage=/i.aci\n[Service]\n{}\n", user)}});
        CHECK(made.problems.empty());
        CHECK(made.values("a.service", "Requires") == std::vector<std::string>{"rocket-users.socket"});
        CHECK(made.values("a.service", "SupplementaryGroups") == std::vector<std::string>{"rocket"});
        CHECK(made.values("a.service", "StateDirectory") == std::vector<std::string>{"%N"});
        CHECK(made.start("a.service").find("--uuid-file-save=%t/rocket-%N/uuid") != std::string::npos);
    }
    for (const char* root : {"User=root", "User=0", "User=", "DynamicUser=no", "UMask=077"}) {
        CAPTURE(root);
        const auto made =
            translated({{"a.container", fmt::format("[Container]\nImage=/i.aci\n[Service]\n{}\n", root)}});
        CHECK(made.values("a.service", "SupplementaryGroups").empty());
        CHECK(made.start("a.service").find("--uuid-file-save=%t/rocket-%N.uuid") != std::string::npos);
    }
    const auto kept =
        translated({{"a.container", "[Container]\nImage=/i.aci\n[Service]\nUser=web\nStateDirectory=x\n"}});
    CHECK(kept.values("a.service", "StateDirectory") == std::vector<std::string>{"x"});
    const auto forwarded = translated({{"a.container", "[Container]\nImage=/i.aci\n[Socket]\nListenStream=80\n"
                                                       "ForwardTo=80\n[Service]\nUser=web\n"}});
    REQUIRE(forwarded.problems.size() == 1);
    CHECK(forwarded.problems.front().text.find(":7: User=web: ForwardTo= finds the pods of root only") !=
          std::string::npos);
}

TEST_CASE("quadlet: what cannot be forwarded")
{
    const auto problem = [](const std::string& lines) {
        const auto made = translated({{"a.container", "[Container]\nImage=/i.aci\n[Socket]\n" + lines}});
        return made.problems.size() == 1 ? made.problems.front().text : "";
    };
    const std::pair<const char*, const char*> refused[] = {
        {"ListenStream=80\nForwardTo=http\n", ":5: ForwardTo=http: say the number of a port"},
        {"ListenStream=80\nForwardTo=0\n", ":5: ForwardTo=0: say the number of a port"},
        {"ListenStream=80\nStopWhenIdle=1s\n", ":5: StopWhenIdle=1s: an app that is handed sockets ends by itself"},
        {"ForwardTo=80\nStopWhenIdle=0\n", ":5: StopWhenIdle=0: say how long"},
        {"ForwardTo=80\nStopWhenIdle=soon\n", ":5: StopWhenIdle=soon: "},
        {"ForwardTo=80\nListenDatagram=80\n", ":5: ListenDatagram=80: only connections"},
        {"ForwardTo=80\nFileDescriptorName=x\n", ":5: FileDescriptorName=x: with ForwardTo="},
    };
    for (const auto& [lines, why] : refused)
        CHECK(problem(lines).find(why) != std::string::npos);
}

TEST_CASE("quadlet: what is not translated is a service that fails and says why")
{
    const auto result = translated({{"a.container", "[Container]\nImage=i\nFoo=1\n[Install]\nWantedBy=x.target\n"}});
    CHECK(result.start("a.service") == "/bin/rocket units --check /e/a.container");
    CHECK(result.units.at("a.service").links == std::vector<std::string>{"x.target.wants/a.service"});
    CHECK_FALSE(result.units.contains("a-image.service"));
}

TEST_CASE("quadlet: several containers are the apps of one pod")
{
    const auto result =
        translated({{"db.container", "[Container]\nImage=db.image\nPod=shop.pod\nVolume=data:/var/lib/db\n"},
                    {"web.container", "[Container]\nImage=/web.aci\nPod=shop.pod\nExec=serve ---\nEnvironment=X=1\n"},
                    {"db.image", "[Image]\nImage=aci:example.com/db:2\n"},
                    {"shop.pod", "[Pod]\nPublishPort=80:80\nVolume=/etc/tls:/tls:ro\n[Install]\nWantedBy=x.target\n"}});
    for (const auto& problem : result.problems)
        FAIL_CHECK(problem.text);
    CHECK(result.start("shop-pod.service") ==
          "/bin/rocket run --uuid-file-save=%t/rocket-%N.uuid --pull-policy=new --port=80-tcp:80 "
          "--volume=pod-v1,kind=host,source=/etc/tls,readOnly=true --mount=volume=pod-v1,target=/tls "
          "--volume=db-v1,kind=host,source=/var/lib/rocket-volumes/data example.com/db:2 "
          "--mount=volume=db-v1,target=/var/lib/db --name=db --- /web.aci --environment=X=1 --name=web -- serve "
          "\"\\\\---\"");
    CHECK(result.values("shop-pod.service", "Requires") ==
          std::vector<std::string>{"data-volume.service", "db-image.service"});
    CHECK(result.units.at("shop-pod.service").links ==
          std::vector<std::string>{"x.target.wants/shop-pod.service", "db.service", "web.service"});
    CHECK(result.start("data-volume.service") ==
          "/usr/bin/install -d -o root -g root -m 0755 /var/lib/rocket-volumes/data");
    CHECK_FALSE(result.units.contains("web-image.service"));
}

TEST_CASE("quadlet: a member leaves to its pod what is about all apps")
{
    for (const char* bad : {"Network=host", "HostName=x", "PublishPort=80:80", "EnvironmentHost=yes", "UserNS=auto",
                            "[Service]\nType=simple", "[Service]\nRestart=maybe", "[Service]\nRestartSec=1min 30s",
                            "[Unit]\nBindsTo=x.service", "[Unit]\nStartLimitBurst=0", "[Install]\nWantedBy=x.target"}) {
        CAPTURE(bad);
        const auto result = translated(
            {{"a.container", fmt::format("[Container]\nImage=/i.aci\nPod=p.pod\n{}\n", bad)}, {"p.pod", "[Pod]\n"}});
        REQUIRE(result.problems.size() == 1);
        CHECK(result.problems[0].text.starts_with("/e/a.container:"));
    }
    CHECK(translated({{"p.pod", "[Pod]\n"}}).problems.at(0).text == "/e/p.pod: no .container file says Pod=p.pod");
}

TEST_CASE("quadlet: a member's restarts and order are annotations of its app (L3)")
{
    const auto result = translated(
        {{"db.container", "[Unit]\nDescription=Data\nAfter=time.target\n[Container]\nImage=/db.aci\nPod=p.pod\n"
                          "[Service]\nRestart=always\nRestartSec=5\nTimeoutStopSec=1min\nKillSignal=SIGINT\n"},
         {"log.container", "[Container]\nImage=/log.aci\nContainerName=logger\nPod=p.pod\n"},
         {"web.container", "[Unit]\nRequires=db.service\nAfter=db.service log.container x.service\nWants=log.service\n"
                           "StartLimitBurst=3\n[Container]\nImage=/web.aci\nPod=p.pod\n"},
         {"p.pod", "[Pod]\n"}});
    for (const auto& problem : result.problems)
        FAIL_CHECK(problem.text);
    CHECK(result.start("p-pod.service")
              .ends_with(" /db.aci --name=db --annotation=rocket/restart=always --annotation=rocket/restart-sec=5 "
                         "--annotation=rocket/stop-signal=SIGINT --annotation=rocket/stop-timeout-sec=1min --- "
                         "/log.aci --name=logger --- /web.aci --name=web --annotation=rocket/after=db,logger "
                         "--annotation=rocket/requires=db --annotation=rocket/start-limit-burst=3"));
    CHECK(result.values("p-pod.service", "After") == std::vector<std::string>{"time.target", "x.service"});
}

TEST_CASE("quadlet: templates and units of one name")
{
    const auto result = translated({{"web@.container", "[Container]\nImage=x/web:%i\nExec=%i\n"}});
    CHECK(result.values("web@.service", "Requires") == std::vector<std::string>{"web-image@%i.service"});
    CHECK(result.start("web-image@.service") == "/bin/rocket fetch --pull-policy=new docker://x/web:%i");
    const auto twice = translated({{"a.container", "[Container]\nImage=x\n"}, {"a.image", "[Image]\nImage=y\n"}});
    REQUIRE(twice.problems.size() == 1);
    CHECK(twice.problems[0].text.find("another file makes the unit \"a-image.service\", too") != std::string::npos);
}

TEST_CASE("Pull=always and newer ask at each start of the pod; newer makes do with what is in the store")
{
    const std::string fetch = "/bin/rocket fetch --pull-policy=";
    const auto result = translated({{"a.container", "[Container]\nImage=i\nPull=always\n"},
                                    {"n.container", "[Container]\nImage=i\nPull=newer\n"},
                                    {"f.image", "[Image]\nImage=i\nPolicy=newer\n"}});
    CHECK(result.values("a-image.service", "ExecStart") == std::vector<std::string>{fetch + "update docker://i"});
    CHECK(result.values("a-image.service", "RemainAfterExit").empty());
    const std::vector<std::string> newer{"-" + fetch + "update docker://i", fetch + "never docker://i"};
    CHECK(result.values("n-image.service", "ExecStart") == newer);
    CHECK(result.values("n-image.service", "RemainAfterExit").empty());
    CHECK(result.values("f-image.service", "ExecStart") == newer);
    CHECK(result.values("f-image.service", "RemainAfterExit") == std::vector<std::string>{"yes"}); // as podman's
}

TEST_CASE("translate: a key without a value takes back what it was given before")
{
    CHECK(flags_of("Environment=A=1\nVolume=/a:/b\nHostName=x\nContainerName=y\nEnvironment=\nVolume=\nHostName=\n"
                   "ContainerName=\n") == flags_of(""));
    CHECK(flags_of("Environment=A=1\nEnvironment=\nEnvironment=B=2\n") == flags_of("Environment=B=2\n"));
    CHECK(problem_of("Image=\n").find("[Container] has no Image=") != std::string::npos);
    CHECK(problem_of("Nonsense=\n").find("this key is not supported") != std::string::npos);
    const auto network = translated({{"lan.network", "[Network]\nSubnet=10.1.0.0/24\nSubnet=\nSubnet=10.2.0.0/24\n"}});
    REQUIRE(network.problems.empty());
    CHECK(network.units.begin()->second.text.find("10.1.0.0") == std::string::npos);
    CHECK(network.units.begin()->second.text.find("10.2.0.0") != std::string::npos);
}
