// SPDX-License-Identifier: Apache-2.0
// Keys that users of podman 5 have in their files, beside those of translate_test.cc.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/stage0/quadlet/translated.hh"

using namespace rocket;
using namespace rocket::quadlet;

namespace
{

using Lines = std::vector<std::string>;

Result one(const std::string& text)
{
    return translated({{"a.container", "[Container]\nImage=/i.aci\n" + text}});
}

} // namespace

TEST_CASE("quadlet: how an app is confined and stopped")
{
    CHECK(flags_of("NoNewPrivileges=yes\nSysctl=net.core.somaxconn=1024 kernel.msgmax=9\n") ==
          "--sysctl=net.core.somaxconn=1024 --sysctl=kernel.msgmax=9 /i.aci --no-new-privileges=true --name=a");
    CHECK(flags_of("StopSignal=SIGINT\nStopTimeout=20\n") ==
          "/i.aci --annotation=rocket/stop-signal=SIGINT --annotation=rocket/stop-timeout-sec=20 --name=a");
    CHECK(one("StopTimeout=20\n").values("a.service", "TimeoutStopSec").empty()); // systemd waits 90 s
    CHECK(one("StopTimeout=120\n").values("a.service", "TimeoutStopSec") == Lines{"150000000us"});
    CHECK(one("StopTimeout=120\n[Service]\nTimeoutStopSec=infinity\n").values("a.service", "TimeoutStopSec") ==
          Lines{"infinity"});
    CHECK(one("Ulimit=nofile=65536:70000\nUlimit=core=-1\n").values("a.service", "LimitNOFILE") ==
          Lines{"65536:70000"});
    CHECK(one("Ulimit=core=-1\n").values("a.service", "LimitCORE") == Lines{"infinity"});
    const auto pod = translated({{"a.container", "[Container]\nImage=/i.aci\nPod=p.pod\n"},
                                 {"p.pod", "[Pod]\nUlimit=nproc=9\nSysctl=a.b=1\n"}});
    CHECK(pod.values("p-pod.service", "LimitNPROC") == Lines{"9"});
    CHECK(pod.start("p-pod.service").find(" --sysctl=a.b=1 ") != std::string::npos);
    for (const char* bad : {"StopSignal=SIGFOO", "StopTimeout=soon", "Ulimit=host", "Ulimit=nofile", "Ulimit=files=1",
                            "Ulimit=nofile=1:2:3", "Ulimit=nofile=", "NoNewPrivileges=maybe", "StartWithPod=no"}) {
        CAPTURE(bad);
        CHECK(problem_of(bad).starts_with("/e/a.container:3: "));
    }
}

TEST_CASE("quadlet: what a file says of the environment counts less than the key")
{
    CHECK(flags_of("Environment=A=1\nEnvironmentFile=/e\nEnvironmentFile=/f") ==
          "/i.aci --environment-file=/e --environment-file=/f --environment=A=1 --name=a");
    const auto pod = translated({{"a.container", "[Container]\nImage=/i.aci\nPod=p.pod\nEnvironmentFile=/e\n"},
                                 {"p.pod", "[Pod]\nEnvironmentHost=yes\n"}});
    CHECK(pod.problems.empty());
    CHECK(pod.start("p-pod.service").ends_with(" --inherit-env /i.aci --environment-file=/e --name=a"));
}

TEST_CASE("quadlet: a command in the app reloads it")
{
    const auto result = one("ReloadCmd=/bin/app --reload \"now, %i\"\nGlobalArgs=--dir=/d\n");
    CHECK(result.values("a.service", "ExecReload") ==
          Lines{"/bin/rocket --dir=/d enter --uuid-file=%t/rocket-%N.uuid --app=a /bin/app --reload \"now, %i\""});
    CHECK(problem_of("ReloadCmd=/x\n[Service]\nUser=web\n").find("User=web: ReloadCmd= finds the pods of root only") !=
          std::string::npos);
}

TEST_CASE("quadlet: options of mounts")
{
    for (const char* written :
         {"Tmpfs=/t:rw,mode=0700,nosuid,nodev", "Mount=type=tmpfs,destination=/t,tmpfs-mode=0700"}) {
        CAPTURE(written);
        CHECK(flags_of(written) == "--volume=a-v1,kind=empty,mode=0700 /i.aci --mount=volume=a-v1,target=/t --name=a");
    }
    for (const char* bad :
         {"Tmpfs=/t:size=1m", "Tmpfs=/t:noexec", "Tmpfs=/t:mode=x", "Mount=type=tmpfs,dst=/t,tmpfs-size=1",
          "Mount=type=tmpfs,dst=/t,ro", "Mount=type=bind,src=/s,dst=/t,tmpfs-mode=1"}) {
        CAPTURE(bad);
        CHECK(problem_of(bad).starts_with("/e/a.container:3: "));
    }
    CHECK(flags_of("Volume=/etc/localtime:/etc/localtime:ro") == flags_of("Timezone=local"));
    for (const char* written : {"Volume=/s:/t:rw", "Mount=type=bind,source=/s,destination=/t,ro=false",
                                "Mount=type=bind,src=/s,target=/t,readonly,rw"}) {
        CAPTURE(written);
        CHECK(flags_of(written) == "--volume=a-v1,kind=host,source=/s /i.aci --mount=volume=a-v1,target=/t --name=a");
    }
}

TEST_CASE("quadlet: an image is asked for more than once")
{
    const auto result =
        translated({{"a.container", "[Container]\nImage=i\nRetry=5\nRetryDelay=10s\n"},
                    {"b.image", "[Image]\nImage=i\nRetry=2\nServiceName=fetched\n[Quadlet]\nDefaultDependencies=no\n"},
                    {"c.container", "[Container]\nImage=b.image\n[Quadlet]\nDefaultDependencies=false\n"},
                    {"d.container", "[Container]\nImage=i\n[Quadlet]\nDefaultDependencies=false\n"}});
    REQUIRE(result.problems.empty());
    CHECK(result.start("a-image.service") ==
          "/bin/rocket fetch --pull-policy=new --retry=5 --retry-delay=10s docker://i");
    CHECK(result.values("a-image.service", "Wants") == Lines{"network-online.target"});
    CHECK(result.start("fetched.service") == "/bin/rocket fetch --pull-policy=new --retry=2 docker://i");
    CHECK(result.values("fetched.service", "Wants").empty());
    CHECK(result.values("c.service", "Requires") == Lines{"fetched.service"});
    CHECK(result.values("d-image.service", "After").empty());
    for (const char* bad :
         {"Retry=many", "Retry=1000", "RetryDelay=soon", "[Quadlet]\nDefaultDependencies=maybe", "[Quadlet]\nFoo=1"}) {
        CAPTURE(bad);
        CHECK(problem_of(bad).starts_with("/e/a.container:"));
    }
}

TEST_CASE("quadlet: a volume may have a name of its own, and units may know it by another")
{
    const auto result = translated({{"data.volume", "[Volume]\nVolumeName=shop-data\nServiceName=shop-volume\n"},
                                    {"a.container", "[Container]\nImage=/i.aci\nVolume=data.volume:/d:ro\n"},
                                    {"b.container", "[Container]\nImage=/i.aci\nVolume=data:/d\nVolume=other:/o\n"}});
    REQUIRE(result.problems.empty());
    CHECK(result.start("shop-volume.service").ends_with(" /var/lib/rocket-volumes/shop-data"));
    const std::string source = "kind=host,source=/var/lib/rocket-volumes/";
    CHECK(result.start("a.service").find(source + "shop-data,readOnly=true ") != std::string::npos);
    CHECK(result.start("b.service").find(source + "shop-data ") != std::string::npos);
    CHECK(result.start("b.service").find(source + "other ") != std::string::npos);
    CHECK(result.values("b.service", "Requires") == Lines{"other-volume.service", "shop-volume.service"});
    for (const char* bad : {"VolumeName=../x", "VolumeName=a b", "VolumeName=.x"})
        CHECK(translated({{"x.volume", fmt::format("[Volume]\n{}\n", bad)}}).problems.size() == 1);
}

TEST_CASE("quadlet: what holds anyway may be said")
{
    const auto all =
        one("SecurityLabelDisable=true\nHttpProxy=false\nReadOnlyTmpfs=no\nCgroupsMode=split\nShmSize=64m\n");
    CHECK(all.problems.empty());
    for (const char* bad :
         {"SecurityLabelDisable=no", "HttpProxy=true", "CgroupsMode=disabled", "ShmSize=1g", "HttpProxy=maybe"})
        CHECK(problem_of(bad).starts_with("/e/a.container:3: "));
    CHECK(translated({{"lan.network", "[Network]\nDisableDNS=false\nNetworkDeleteOnStop=no\n"}}).problems.empty());
    CHECK(translated({{"lan.network", "[Network]\nDisableDNS=true\n"}}).problems.size() == 1);
    CHECK(translated({{"d.volume", "[Volume]\nDriver=local\n"}}).problems.empty());
    CHECK(translated({{"d.volume", "[Volume]\nDriver=nfs\n"}}).problems.size() == 1);
}

TEST_CASE("quadlet: names as podman has them")
{
    CHECK(flags_of("ContainerName=Nextcloud_DB.1") == "/i.aci --name=nextcloud-db-1");
    CHECK(flags_of("ContainerName=web-%i\nTmpfs=/tmp") ==
          "--volume=web-%i-v1,kind=empty,mode=1777 /i.aci --mount=volume=web-%i-v1,target=/tmp --name=web-%i");
    CHECK(problem_of("GroupAdd=keep-groups").find("say the group as a number") != std::string::npos);
}

TEST_CASE("quadlet: devices, and secrets that are not root's")
{
    CHECK(flags_of("AddDevice=/dev/a:/dev/b:r") ==
          "--volume=a-v1,kind=host,source=/dev/a,readOnly=true,recursive=false "
          "/i.aci --mount=volume=a-v1,target=/dev/b --name=a");
    CHECK(flags_of("AddDevice=/dev/a:rwm") == flags_of("AddDevice=/dev/a"));
    CHECK(problem_of("AddDevice=-/dev/a").find("whether a device is there is not known yet") != std::string::npos);
    const auto secret = one("Secret=key,target=k,mode=0440,uid=7\n");
    CHECK(secret.values("a.service", "RuntimeDirectoryMode") == Lines{"0700"});
    CHECK(secret.values("a.service", "ExecStartPre") ==
          Lines{"/usr/bin/install -m 0440 -o 7 -g 0 %d/key %t/rocket-%N-secrets/a-v1"});
    CHECK(secret.start("a.service").find("source=%t/rocket-%N-secrets/a-v1,readOnly=true") != std::string::npos);
    CHECK(secret.start("a.service").find("target=/run/secrets/k ") != std::string::npos);
    for (const char* bad : {"Secret=key,type=env,target=X", "Secret=key,mode=x", "Secret=key,uid=me", "Secret=key,x=1"})
        CHECK(problem_of(bad).starts_with("/e/a.container:3: "));
}

TEST_CASE("quadlet: [Unit] may name files")
{
    const auto result =
        translated({{"db.container", "[Container]\nImage=/i.aci\nServiceName=database\n"},
                    {"lan.network", "[Network]\n"},
                    {"m.container", "[Unit]\nAfter=lan.network\n[Container]\nImage=/i.aci\nPod=p.pod\n"},
                    {"p.pod", "[Unit]\nAfter=x.service\n[Pod]\n"},
                    {"web.container", "[Unit]\nRequires=db.container x.service\nAfter=db.container p.pod m.container\n"
                                      "Description=not db.container\n[Container]\nImage=/i.aci\n"}});
    REQUIRE(result.problems.empty());
    CHECK(result.values("web.service", "Requires") == Lines{"database.service x.service"});
    CHECK(result.values("web.service", "After") == Lines{"database.service p-pod.service p-pod.service"});
    CHECK(result.values("web.service", "Description") == Lines{"not db.container"});
    CHECK(result.values("p-pod.service", "After") == Lines{"x.service", "lan-network.service"});
    CHECK(problem_of("[Unit]\nAfter=none.container\n").starts_with("/e/a.container:4: there is no file"));
}

TEST_CASE("quadlet: [Install] of a template is about its default instance")
{
    const auto links = [](const std::string& name, const std::string& install) {
        const auto made = translated({{name + ".container", "[Container]\nImage=/i.aci\n[Install]\n" + install}});
        return made.problems.empty() ? made.units.at(name + ".service").links : Lines{made.problems.front().text};
    };
    const std::string wanted = "WantedBy=multi-user.target\n";
    CHECK(links("web@", wanted + "DefaultInstance=blue\n") == Lines{"multi-user.target.wants/web@blue.service"});
    CHECK(links("web@", wanted).empty());
    CHECK(links("web@red", wanted + "DefaultInstance=blue\n") == Lines{"multi-user.target.wants/web@red.service"});
    CHECK(links("web", "DefaultInstance=x\n").front().starts_with("/e/web.container:4: DefaultInstance=x: only"));
    CHECK(links("web@", "DefaultInstance=a/b\n").front().starts_with("/e/web@.container:4: DefaultInstance=a/b: "));
}

TEST_CASE("quadlet: files that are refused as a whole say what to write instead")
{
    CHECK(translated({{"a.kube", "[Kube]\n"}}).problems.at(0).text.find("write a .pod file") != std::string::npos);
    CHECK(translated({{"a.build", "[Build]\n"}}).problems.at(0).text.find("build the image elsewhere") !=
          std::string::npos);
}
