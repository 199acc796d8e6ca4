// SPDX-License-Identifier: Apache-2.0
#include "common/model/layout.hh"

#include <doctest/doctest.h>

#include "common/model/runtime.hh"
#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::model;

TEST_CASE("layout: where things are below DATA")
{
    const Layout layout{"/var/lib/rocket"};
    const auto image = ImageId::parse("sha512-" + std::string(128, '1'));
    const auto pod = PodId::parse("6733c088-a507-4694-aabf-edbe4fc5266f");
    CHECK(layout.image(image) == "/var/lib/rocket/cas/image/sha512-" + std::string(64, '1'));
    CHECK(layout.tree_rootfs(image) == "/var/lib/rocket/cas/tree/sha512-" + std::string(64, '1') + "/rootfs");
    CHECK(layout.pod(PodStage::exited_garbage, pod) ==
          "/var/lib/rocket/pods/exited-garbage/6733c088-a507-4694-aabf-edbe4fc5266f");
    CHECK(pod_dir::app_result(AppName::parse("web")) == "status/web.json");
    CHECK(in_pod::app_rootfs("web") == "/run/host/app-web");
}

TEST_CASE("layout: the directories of the stages can be read back")
{
    for (const auto stage : pod_stages)
        CHECK(stage_of_directory(directory_name(stage)) == stage);
    CHECK_FALSE(stage_of_directory("exited_garbage"));
    CHECK_FALSE(stage_of_directory(""));
}

TEST_CASE("runtime.json: there and back")
{
    const Runtime runtime{
        .stage1_rootfs = "/usr/lib/rocket/stage1-images/systemd/rootfs",
        .overlay = false,
        .apps = {{AppName::parse("web"), ImageId::parse("sha512-" + std::string(64, 'e')), {"/top", "/tree"}}}};
    CHECK(Runtime::parse(runtime.write()) == runtime);
    CHECK(runtime.find(AppName::parse("web")) == &runtime.apps[0]);
    CHECK(runtime.find(AppName::parse("db")) == nullptr);
}

TEST_CASE("runtime.json: an error says where")
{
    CHECK_THROWS_WITH_AS(Runtime::parse(R"({"stage1_rootfs":"/r","overlay":true,"apps":[{"name":"a"}]})"),
                         "runtime.apps[0] has no \"image\"", Error);
    CHECK_THROWS_WITH_AS(Runtime::parse(R"({"stage1_rootfs":"r","overlay":true,"apps":[]})"),
                         "runtime.stage1_rootfs must be an absolute path", Error);
}
