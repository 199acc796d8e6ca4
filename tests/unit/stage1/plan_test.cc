// SPDX-License-Identifier: Apache-2.0
#include "stage1/plan.hh"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

const std::string image_id = "sha512-" + std::string(64, 'a');

std::string app(const std::string& name, const std::string& mount_points = "", const std::string& mounts = "")
{
    return fmt::format(R"({{"name":"{}","image":{{"id":"{}"}},"app":{{"exec":["/x"],"user":"0","group":"0",)"
                       R"("mountPoints":[{}]}},"mounts":[{}]}})",
                       name, image_id, mount_points, mounts);
}

Pod pod_of(const std::vector<std::string>& apps, const std::string& volumes = "", bool overlay = true)
{
    Pod pod{.id = model::PodId::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            .dir = {},
            .manifest = model::PodManifest::parse(
                fmt::format(R"({{"acVersion":"0.8.11","acKind":"PodManifest","apps":[{}],"volumes":[{}]}})",
                            fmt::join(apps, ","), volumes)),
            .runtime = {.stage1_rootfs = "/s1", .overlay = overlay, .apps = {}},
            .images = {}};
    for (const auto& runtime_app : pod.manifest.apps) {
        pod.runtime.apps.push_back({runtime_app.name, *runtime_app.image.id, {"/top", "/tree"}});
        pod.images.push_back({.name = model::AcIdentifier::parse("example.com/image")});
    }
    return pod;
}

// A pod of one app with one host volume mounted on `target`.
Pod pod_with_target(const std::string& target)
{
    return pod_of({app("web", "", fmt::format(R"({{"volume":"v","path":"{}"}})", target))},
                  R"({"name":"v","kind":"host","source":"/src"})");
}

} // namespace

TEST_CASE("plan: defaults are the isolated ones")
{
    const auto plan = make_plan(pod_of({app("web")}), {});
    CHECK(plan.hostname == "rkt-6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    CHECK(plan.new_network);
    CHECK(plan.new_ipc);
    CHECK(plan.mask_paths);
    CHECK(plan.stage1_rootfs == "/s1");
    REQUIRE(plan.apps.size() == 1);
    CHECK(plan.apps[0].root == "/run/host/app-web");
    CHECK(plan.apps[0].trees == std::vector<std::string>{"/top", "/tree"});
    CHECK(plan.apps[0].upper == "apps/web/upper");
    CHECK(plan.apps[0].rootfs.empty());
}

TEST_CASE("plan: options are taken over")
{
    const auto plan = make_plan(pod_of({app("web")}), {.network = NetworkKind::host,
                                                       .ipc = Ipc::parent,
                                                       .hostname = "box",
                                                       .resolv_conf = NameFile::pod,
                                                       .hosts = NameFile::host,
                                                       .restrict_paths = false});
    CHECK(plan.hostname == "box");
    CHECK_FALSE(plan.new_network);
    CHECK_FALSE(plan.new_ipc);
    CHECK_FALSE(plan.mask_paths);
    CHECK(plan.resolv_conf == NameFile::pod);
    CHECK(plan.hosts == NameFile::host);
}

TEST_CASE("plan: PID 1 inherits nothing and is quiet unless debugged")
{
    const auto quiet = make_plan(pod_of({app("web")}), {});
    CHECK(quiet.init_argv[0] == "/usr/lib/systemd/systemd");
    CHECK(quiet.init_env == std::vector<std::string>{"PATH=/usr/sbin:/usr/bin", "container=rocket",
                                                     "container_uuid=6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                                                     "SYSTEMD_LOG_TARGET=null", "SYSTEMD_LOG_LEVEL=err"});
    const auto loud = make_plan(pod_of({app("web")}), {.debug = true});
    CHECK(loud.init_env.back() == "SYSTEMD_LOG_LEVEL=debug");
}

TEST_CASE("plan: without overlay the app runs on its copy")
{
    const auto plan = make_plan(pod_of({app("web")}, "", false), {});
    CHECK(plan.apps[0].rootfs == "apps/web/rootfs");
    CHECK(plan.apps[0].trees.empty());
}

TEST_CASE("plan: a terminal is for one app (cli 8.3)")
{
    CHECK_NOTHROW(make_plan(pod_of({app("a")}), {.interactive = true}));
    CHECK_THROWS_WITH(make_plan(pod_of({app("a"), app("b")}), {.interactive = true}),
                      "interactive option only supports pods with one app");
}

TEST_CASE("plan: volumes never cover what is the pod's own (R5)")
{
    for (const char* bad :
         {"/proc", "/proc/sys", "/sys", "/sys/fs/cgroup", "/dev", "/dev/null", "/dev/pts", "/dev/pts/0", "/dev/shm",
          "/dev/shm/x", "/dev/console", "/dev/a/b/c", "/dev/../proc/x", "//proc//1"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(make_plan(pod_with_target(bad), {}), Error);
    }
    for (const char* good : {"/data", "/process", "/system", "/devices", "/etc", "/etc/hosts", "/run", "/tmp"}) {
        CAPTURE(good);
        const auto plan = make_plan(pod_with_target(good), {});
        CHECK(plan.apps[0].volumes[0].target == good);
        CHECK_FALSE(plan.apps[0].volumes[0].in_dev);
    }
    for (const char* device : {"/dev/fuse", "/dev/net/tun", "/dev/sdb"}) {
        CAPTURE(device);
        CHECK(make_plan(pod_with_target(device), {}).apps[0].volumes[0].in_dev);
    }
}

TEST_CASE("plan: an empty volume does not go below /dev")
{
    const auto pod = pod_of({app("web", "", R"({"volume":"v","path":"/dev/x"})")}, R"({"name":"v","kind":"empty"})");
    CHECK_THROWS_AS(make_plan(pod, {}), Error);
}

TEST_CASE("plan: read-only is the volume's to say, then the mount point's by path, then by name (VOL-9)")
{
    struct Case {
        const char* volume;      // its readOnly member
        const char* mount_point; // the whole object
        bool read_only;
    };
    const Case cases[] = {
        {"", "", false},
        {R"(,"readOnly":true)", "", true},
        {"", R"({"name":"p","path":"/data","readOnly":true})", true},
        {"", R"({"name":"v","path":"/other","readOnly":true})", true},
        {"", R"({"name":"p","path":"/other","readOnly":true})", false},
        {R"(,"readOnly":false)", R"({"name":"v","path":"/data","readOnly":true})", false},
        {R"(,"readOnly":true)", R"({"name":"v","path":"/data","readOnly":false})", true},
    };
    for (const auto& one : cases) {
        CAPTURE(one.volume);
        CAPTURE(one.mount_point);
        const auto pod = pod_of({app("web", one.mount_point, R"({"volume":"v","path":"/data/"})")},
                                fmt::format(R"({{"name":"v","kind":"host","source":"/src"{}}})", one.volume));
        CHECK(make_plan(pod, {}).apps[0].volumes[0].read_only == one.read_only);
    }
}

TEST_CASE("plan: apps that name one volume share one source (VOL-6), recursive unless it says otherwise (VOL-8)")
{
    const auto mounts = R"({"volume":"v","path":"/a"},{"volume":"w","path":"/b"})";
    const auto plan = make_plan(pod_of({app("one", "", mounts), app("two", "", mounts)},
                                       R"({"name":"v","kind":"host","source":"/x/../src/","recursive":false},)"
                                       R"({"name":"w","kind":"empty","mode":"0700","uid":5,"gid":6})"),
                                {});
    REQUIRE(plan.sources.size() == 2);
    CHECK(plan.sources[0] ==
          VolumeSource{.name = "v", .kind = VolumeSource::Kind::host, .path = "/src", .recursive = false});
    CHECK(plan.sources[1] == VolumeSource{.name = "w", .path = "volumes/w", .mode = 0700, .uid = 5, .gid = 6});
    CHECK(plan.apps[0].volumes == plan.apps[1].volumes);
}

TEST_CASE("plan: an empty volume of a mount's own is the app's alone (VOL-7)")
{
    const auto mount = R"({"volume":"v","path":"/a","appVolume":{"name":"v","kind":"empty"}})";
    const auto own = make_plan(pod_of({app("one", "", mount), app("two", "", mount)}), {});
    REQUIRE(own.sources.size() == 2);
    CHECK(own.sources[0].path == "volumes/one.v");
    CHECK(own.sources[1].path == "volumes/two.v");
    const auto shared =
        make_plan(pod_of({app("one", "", mount), app("two", "", mount)}, R"({"name":"v","kind":"empty"})"), {});
    REQUIRE(shared.sources.size() == 1);
    CHECK(shared.sources[0].path == "volumes/v");
}

TEST_CASE("plan: an app that is started again has no stdin for one process; the image's stop signal is the default")
{
    auto pod = pod_of({app("web")});
    auto& annotations = pod.manifest.apps[0].annotations;
    annotations = {{.name = model::AcIdentifier::parse("rocket/restart"), .value = "always"}};
    pod.images[0].annotations = {
        {.name = model::AcIdentifier::parse("org.opencontainers.image.stopsignal"), .value = "SIGQUIT"}};
    CHECK(make_plan(pod, {}).apps[0].policy.stop_signal == SIGQUIT);
    CHECK_THROWS_AS(make_plan(pod, {.interactive = true}), Error);
    annotations.push_back({.name = model::stream_annotation("stdin"), .value = "stream"});
    CHECK_THROWS_AS(make_plan(pod, {}), Error);
    annotations = {{.name = model::AcIdentifier::parse("rocket/stop-signal"), .value = "INT"}};
    CHECK(make_plan(pod, {}).apps[0].policy.stop_signal == SIGINT);
}
