// SPDX-License-Identifier: Apache-2.0
#include "stage1/pod_limits.hh"

#include <doctest/doctest.h>

#include "common/sys/error.hh"

using namespace rocket;
using namespace rocket::stage1;

namespace
{

model::Isolators isolators(std::string_view text)
{
    const auto value = model::json::parse(text, "isolators");
    return model::Isolators::from(model::json::Cursor{value, "isolators"}.items());
}

using Files = std::vector<std::pair<std::string, std::string>>;

} // namespace

TEST_CASE("pod limits: isolators as files of the pod's cgroup (RES-5)")
{
    PodFacts facts;
    facts.controllers = {"cpu", "memory", "io"};
    facts.disks = {"8:0", "254:16"};
    const auto files = [&](std::string_view text) { return pod_limits(isolators(text), facts).files; };
    CHECK(files("[]").empty());
    CHECK(files(R"([{"name":"resource/memory","value":{"limit":"1Gi"}}])") ==
          Files{{"memory.max", "1073741824"}, {"memory.swap.max", "0"}});
    CHECK(files(R"([{"name":"resource/cpu","value":{"limit":"500m"}}])") ==
          Files{{"cpu.max", "50000 100000"}, {"cpu.weight", "20"}});
    CHECK(files(R"([{"name":"resource/block-bandwidth","value":{"default":true,"limit":"2M"}}])") ==
          Files{{"io.max", "8:0 rbps=2000000 wbps=2000000"}, {"io.max", "254:16 rbps=2000000 wbps=2000000"}});
    CHECK(files(R"([{"name":"resource/block-iops","value":{"default":true,"limit":"20"}}])").front().second ==
          "8:0 riops=20 wiops=20");
    CHECK_THROWS_AS(files(R"([{"name":"resource/memory","value":{"limit":"0"}}])"), Error);
}

TEST_CASE("pod limits: what is not in force is said (ISO-4, ISO-5, ISO-7, RES-6)")
{
    const auto reports = [](std::string_view text) { return pod_limits(isolators(text), {}).reports; };
    CHECK(reports("[]").empty());
    for (const char* text :
         {R"([{"name":"resource/memory","value":{"limit":"1G"}}])",
          R"([{"name":"resource/cpu","value":{"limit":"1"}}])",
          R"([{"name":"resource/block-iops","value":{"default":true,"limit":"1"}}])",
          R"([{"name":"example.com/own","value":1}])", R"([{"name":"os/linux/no-new-privileges","value":true}])"}) {
        CAPTURE(text);
        CHECK(reports(text).size() == 1);
    }
}

TEST_CASE("pod limits: what must not be ignored is refused (F8)")
{
    PodFacts facts;
    CHECK_THROWS_AS(
        pod_limits(isolators(R"([{"name":"resource/network-bandwidth","value":{"default":true,"limit":"1"}}])"), facts),
        Error);
}

TEST_CASE("kernel parameters: only those of the pod's own namespaces (CTL-2)")
{
    const auto parameters = [](const std::string& key, bool network, bool ipc) {
        return kernel_parameters(isolators(R"([{"name":"os/unix/sysctl","value":{")" + key + R"(":"1"}}])"), network,
                                 ipc);
    };
    using Map = std::map<std::string, std::string>;
    CHECK(parameters("net.ipv4.ip_forward", true, true) == Map{{"net/ipv4/ip_forward", "1"}});
    CHECK(parameters("net/ipv4/conf/eth0.1/forwarding", true, true) == Map{{"net/ipv4/conf/eth0.1/forwarding", "1"}});
    CHECK(parameters("net.ipv4.conf.eth0/1.forwarding", true, true) == Map{{"net/ipv4/conf/eth0.1/forwarding", "1"}});
    CHECK(parameters("kernel.shmmax", true, true).size() == 1);
    CHECK(parameters("fs.mqueue.msg_max", false, true).size() == 1);
    CHECK_THROWS_AS(parameters("net.ipv4.ip_forward", false, true), Error);
    CHECK_THROWS_AS(parameters("kernel.shmmax", true, false), Error);
    for (const char* key :
         {"kernel.panic", "vm.swappiness", "kernel.core_pattern", "net/../kernel/panic", "net..x", "", "fs.file-max"}) {
        CAPTURE(key);
        CHECK_THROWS_AS(parameters(key, true, true), Error);
    }
}
