// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/model/network.hh"

using namespace rocket;
using namespace rocket::model;

namespace
{

NetworkConfig config_of(const char* text)
{
    const auto value = json::parse(text, "file");
    return NetworkConfig::from({value, "file"});
}

CniResult result_of(const char* text)
{
    const auto value = json::parse(text, "result");
    return CniResult::from({value, "result"});
}

} // namespace

TEST_CASE("network configurations: a single one is a list of one (F6)")
{
    const auto single = config_of(R"({"name":"mine","type":"ptp","mtu":1400,"ipam":{"type":"host-local"}})");
    CHECK(single.cni_version == "0.1.0");
    REQUIRE(single.plugins.size() == 1);
    CHECK(plugin_type(single.plugins[0]) == "ptp");
    CHECK(ipam_type(single.plugins[0]) == "host-local");
    const auto list = config_of(R"({"cniVersion":"1.0.0","name":"n","disableCheck":true,"restricted":true,
                                    "plugins":[{"type":"bridge"},{"type":"tuning"}]})");
    CHECK(list.plugins.size() == 2);
    CHECK(list.disable_check);
    CHECK(list.restricted);
    const auto value = list.json();
    CHECK(NetworkConfig::from({value, "again"}) == list);
}

TEST_CASE("network configurations that are refused")
{
    struct Bad {
        const char* text;
        const char* complaint;
    };
    for (const auto& [text, complaint] : {Bad{R"({"type":"ptp"})", "has no \"name\""},
                                          {R"({"name":"../x","type":"ptp"})", "is not a name of a network"},
                                          {R"({"name":"a"})", "has no \"type\""},
                                          {R"({"name":"a","type":"../../bin/sh"})", "is not the name of a plugin"},
                                          {R"({"name":"a","type":"p","ipam":{"type":"a/b"}})", "is not the name of"},
                                          {R"({"name":"a","plugins":[]})", "plugins is empty"},
                                          {R"({"name":"a","plugins":{}})", "must be a list"},
                                          {R"([])", "must be an object"}}) {
        const std::string_view shown = text;
        CAPTURE(shown);
        std::string said = "no error";
        try {
            config_of(text);
        } catch (const Error& error) {
            said = error.what();
        }
        CAPTURE(said);
        CHECK(said.find(complaint) != std::string::npos);
    }
}

TEST_CASE("results of plugins: every version")
{
    const auto old =
        result_of(R"({"ip4":{"ip":"10.1.2.3/16","gateway":"10.1.0.1"},"dns":{"nameservers":["10.1.0.1"]}})");
    REQUIRE(old.find(false) != nullptr);
    CHECK(old.find(false)->address == "10.1.2.3");
    CHECK(old.find(false)->subnet() == "10.1.0.0/16");
    CHECK(old.find(false)->mask() == "255.255.0.0");
    CHECK(old.find(true) == nullptr);
    CHECK(old.dns.servers == std::vector<std::string>{"10.1.0.1"});
    const auto now = result_of(R"({"cniVersion":"1.0.0","interfaces":[{"name":"veth1"},{"name":"eth0","sandbox":"/x"}],
        "ips":[{"address":"10.1.2.3/24","interface":1},{"address":"FD00:0::5/60","gateway":"fd00::1"}]})");
    CHECK(now.host_interfaces == std::vector<std::string>{"veth1"});
    CHECK(now.find(true)->address == "fd00::5");
    CHECK(now.find(true)->subnet() == "fd00::/60");
}

TEST_CASE("results of plugins that are refused: nothing of them may get into a command or a file")
{
    for (const char* bad :
         {R"({"ips":[{"address":"10.1.2.3"}]})", R"({"ips":[{"address":"10.1.2.3/33"}]})",
          R"({"ips":[{"address":"10.1.2.3/8; drop"}]})", R"({"ips":[{}]})",
          R"({"ips":[{"address":"10.0.0.1/8","gateway":"x"}]})", R"({"interfaces":[{"name":"a\" drop"}]})",
          R"({"interfaces":[{"name":"a/b"}]})", R"({"interfaces":[{"name":""}]})",
          R"({"interfaces":[{"name":"0123456789abcdef"}]})", R"({"dns":{"nameservers":["evil\nnameserver 1.2.3.4"]}})",
          R"({"dns":{"search":["a b"]}})", R"({"dns":{"domain":"#"}})", R"([])", R"("x")"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(result_of(bad), Error);
    }
}

TEST_CASE("plan and state come back as they were written")
{
    const NetworkConfig config = config_of(R"({"name":"n","cniVersion":"1.0.0","plugins":[{"type":"ptp"}]})");
    const NetworkPlan plan{.networks = {{config, "/etc/x", "eth0", "IP=1.2.3.4"}},
                           .plugin_dirs = {"/a", "/b"},
                           .ports = {{"tcp", "::", 80, 8080, 2}},
                           .dns = {.servers = {"1.1.1.1"}, .domain = "d", .search = {"s"}, .options = {"o"}},
                           .hostname = "web"};
    CHECK(NetworkPlan::parse(plan.write()) == plan);
    const NetworkState state{.namespace_path = "/proc/1/fd/2",
                             .nftables = false,
                             .is_released = true,
                             .networks = {{.request = plan.networks[0],
                                           .masquerade = true,
                                           .paths = {"/a/ptp"},
                                           .result = result_of(R"({"ips":[{"address":"10.1.2.3/24"}]})")}},
                             .ports = plan.ports,
                             .publishing = 0,
                             .local_routes = {"veth0"}};
    CHECK(NetworkState::parse(state.write()) == state);
    CHECK_THROWS_AS(NetworkState::parse(R"({"networks":[],"publishing":0})"), Error);
}

TEST_CASE("ports that collide")
{
    const auto tcp = [](const char* ip, std::uint16_t port, std::uint32_t count = 1) {
        return PublishedPort{"tcp", ip, port, 1, count};
    };
    CHECK(collide(tcp("", 80), tcp("", 80)));
    CHECK(collide(tcp("", 80), tcp("192.0.2.1", 80)));
    CHECK(collide(tcp("", 80), tcp("::1", 80)));
    CHECK(collide(tcp("0.0.0.0", 80), tcp("192.0.2.1", 80)));
    CHECK(collide(tcp("::", 80), tcp("2001:db8::1", 80)));
    CHECK(collide(tcp("", 80, 10), tcp("", 89)));
    CHECK_FALSE(collide(tcp("", 80, 10), tcp("", 90)));
    CHECK_FALSE(collide(tcp("0.0.0.0", 80), tcp("::", 80)));
    CHECK_FALSE(collide(tcp("192.0.2.1", 80), tcp("192.0.2.2", 80)));
    CHECK_FALSE(collide(tcp("", 80), {"udp", "", 80, 1, 1}));
}
