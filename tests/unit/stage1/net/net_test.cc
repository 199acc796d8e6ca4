// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "common/sys/error.hh"
#include "stage1/net/chain.hh"
#include "stage1/net/demands.hh"
#include "stage1/net/iptables_rules.hh"
#include "stage1/net/nft_rules.hh"
#include "stage1/net/preparation.hh"

using namespace rocket;
using namespace rocket::model;
using namespace rocket::stage1;

namespace
{

NetworkRequest request(const std::string& text)
{
    const auto value = json::parse(text, "file");
    return {NetworkConfig::from({value, "file"}), "/etc/rocket/net.d/x.conf", "eth0", ""};
}

constexpr const char* masquerading = R"({"cniVersion":"1.0.0","name":"m","plugins":[{"type":"ptp","ipMasq":true}]})";
constexpr const char* plain = R"({"cniVersion":"1.0.0","name":"p","plugins":[{"type":"bridge"}]})";
constexpr const char* old = R"({"cniVersion":"0.2.0","name":"o","type":"ptp","ipMasq":true})";
constexpr const char* capable =
    R"({"cniVersion":"1.0.0","name":"c","plugins":[{"type":"bridge"},{"type":"portmap","capabilities":{"portMappings":true}}]})";
const PublishedPort http{"tcp", "", 8080, 80, 1};

std::optional<std::string> found(const std::string& type)
{
    return "/plugins/" + type;
}

std::string types(const AttachedNetwork& network)
{
    std::string all;
    for (const auto& plugin : network.request.config.plugins)
        all += plugin_type(plugin) + " ";
    return all;
}

CniResult result_of(const char* text)
{
    const auto value = json::parse(text, "result");
    return CniResult::from({value, "result"});
}

const PodId id = PodId::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

bool has(const std::string& text, const char* part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("versions of CNI are compared by number")
{
    CHECK(is_at_least("0.4.0", "0.4.0"));
    CHECK(is_at_least("0.10.0", "0.4.0"));
    CHECK(is_at_least("1.0", "0.4.0"));
    CHECK_FALSE(is_at_least("0.3.1", "0.4.0"));
    CHECK_FALSE(is_at_least("", "0.3.0"));
}

TEST_CASE("masquerading is ours, and plugins are called without")
{
    const auto state = prepare({.networks = {request(masquerading), request(plain)}}, {}, found);
    CHECK(state.networks[0].masquerade);
    CHECK_FALSE(state.networks[1].masquerade);
    CHECK(json::write(state.networks[0].request.config.plugins[0]) == R"({"type":"ptp","ipMasq":false})");
    CHECK(state.networks[0].paths == std::vector<std::string>{"/plugins/ptp"});
    CHECK_FALSE(state.publishing);
}

TEST_CASE("ports go to the network that does them itself, else to the one that leads out (internals 10.6)")
{
    CHECK(prepare({.networks = {request(plain), request(masquerading)}, .ports = {http}}, {}, found).publishing == 1U);
    CHECK(prepare({.networks = {request(plain), request(plain)}, .ports = {http}}, {}, found).publishing == 1U);
    const auto state = prepare({.networks = {request(masquerading), request(capable)}, .ports = {http}}, {}, found);
    CHECK_FALSE(state.publishing);
    CHECK(has(json::write(state.networks[1].request.config.plugins[1]),
              R"("runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})"));
}

TEST_CASE("without nftables the rules are iptables'; what is missing is named with its package")
{
    const HostFirewall iptables{.nftables = false, .iptables = true};
    const auto state = prepare({.networks = {request(old)}, .ports = {http}}, iptables, found);
    CHECK(types(state.networks[0]) == "ptp ");
    CHECK(state.networks[0].masquerade);
    CHECK(state.publishing == 0U);
    CHECK_FALSE(state.nftables);
    CHECK(prepare({.networks = {request(plain)}}, {.nftables = true, .iptables = true, .drops_forwarded = true}, found)
              .opens_forward);
    CHECK_THROWS_WITH_AS(prepare({.networks = {request(plain)}}, {}, [](const auto&) { return std::nullopt; }),
                         doctest::Contains("not installed"), Error);

    const HostFirewall nothing{.nftables = false}, dropping{.drops_forwarded = true};
    CHECK_NOTHROW(prepare({.networks = {request(plain)}}, nothing, found));
    CHECK_NOTHROW(prepare({.networks = {request(plain)}}, dropping, found));
    CHECK_THROWS_WITH_AS(prepare({.networks = {request(masquerading)}}, nothing, found),
                         doctest::Contains("\"m\" needs masquerading"), Error);
    CHECK_THROWS_WITH_AS(prepare({.networks = {request(plain)}, .ports = {http}}, nothing, found),
                         doctest::Contains("needs published ports"), Error);
    CHECK_THROWS_WITH_AS(prepare({.networks = {request(masquerading)}}, dropping, found),
                         doctest::Contains("drops what it forwards"), Error);
    auto restricted = request(plain);
    restricted.config.restricted = true;
    CHECK_THROWS_WITH_AS(prepare({.networks = {restricted}}, nothing, found), doctest::Contains("needs restricting"),
                         Error);
}

TEST_CASE("an address that a pod asks for may be outside the range, if the network says so")
{
    const auto prepared = [](const char* args, const std::string& ip) {
        auto asking = request(fmt::format(
            R"({{"name":"r","type":"bridge",{}"ipam":{{"type":"host-local","ranges":[)"
            R"([{{"subnet":"10.1.0.0/24","rangeStart":"10.1.0.100"}}],[{{"subnet":"fd00::/64","rangeEnd":"fd00::9"}}]]}}}})",
            args));
        asking.args = ip;
        return json::write(
            *prepare({.networks = {asking}}, {}, found).networks[0].request.config.plugins[0].find("ipam"));
    };
    const char* const open = R"("args":{"rocket":{"requestsOutsideRange":true}},)";
    const std::string whole4 = R"([{"subnet":"10.1.0.0/24"}])",
                      part4 = R"([{"subnet":"10.1.0.0/24","rangeStart":"10.1.0.100"}])";
    const std::string whole6 = R"([{"subnet":"fd00::/64"}])",
                      part6 = R"([{"subnet":"fd00::/64","rangeEnd":"fd00::9"}])";
    const auto ranges = [](const auto& v4, const auto& v6) {
        return R"({"type":"host-local","ranges":[)" + v4 + "," + v6 + "]}";
    };
    CHECK(prepared(open, "IP=10.1.0.5") == ranges(whole4, part6));
    CHECK(prepared(open, "MAC=02:00:00:00:00:01;IP=10.1.0.5/24,fd00::77") == ranges(whole4, whole6));
    CHECK(prepared(open, "IP=10.2.0.5") == ranges(part4, part6));
    CHECK(prepared(open, "") == ranges(part4, part6));
    CHECK(prepared("", "IP=10.1.0.5") == ranges(part4, part6));
}

TEST_CASE("arguments for plugins with capabilities")
{
    const auto plugin = json::parse(
        R"({"type":"x","capabilities":{"portMappings":true,"ips":true,"mac":true,"dns":true,"bandwidth":false}})", "x");
    CHECK(json::write(runtime_config(plugin, "IP=10.0.0.5;MAC=02:00:00:00:00:01", {{"udp", "::", 5, 6, 2}},
                                     {.servers = {"1.1.1.1"}})) ==
          R"({"portMappings":[{"hostPort":5,"containerPort":6,"protocol":"udp","hostIP":"::"},)"
          R"({"hostPort":6,"containerPort":7,"protocol":"udp","hostIP":"::"}],"ips":["10.0.0.5"],)"
          R"("mac":"02:00:00:00:00:01","dns":{"servers":["1.1.1.1"],"searches":[],"options":[]}})");
    CHECK(json::write(runtime_config(json::parse(R"({"type":"x"})", "x"), "IP=1.2.3.4", {http}, {})) == "{}");
}

TEST_CASE("rules: none where nothing asks for any; else one table that is the pod's")
{
    NetworkState state{.networks = {{.request = request(masquerading)}}};
    CHECK(make_nft_rules(id, state).empty()); // no result yet
    state.networks[0].result =
        result_of(R"({"interfaces":[{"name":"veth1"}],"ips":[{"address":"10.0.0.5/24"},{"address":"fd00::5/64"}]})");
    CHECK(make_nft_rules(id, state).empty());
    state.networks[0].masquerade = true;
    const auto rules = make_nft_rules(id, state);
    CHECK(has(rules, "table inet rocket-6ba7b810-9dad-11d1-80b4-00c04fd430c8 {"));
    CHECK(has(rules, "ip saddr 10.0.0.5 ip daddr != { 10.0.0.0/24, 224.0.0.0/4 } masquerade"));
    CHECK(has(rules, "ip6 saddr fd00::5 ip6 daddr != { fd00::/64, ff00::/8 } masquerade"));
    CHECK_FALSE(has(rules, "dnat"));
    CHECK(has(remove_nft_rules(id), "delete table inet rocket-6ba7b810-"));
}

TEST_CASE("rules: ports of both families, ranges, single addresses")
{
    NetworkState state{.networks = {{.request = request(plain)}}, .publishing = 0};
    state.networks[0].result = result_of(R"({"ips":[{"address":"10.0.0.5/24"},{"address":"fd00::5/64"}]})");
    state.ports = {http, {"udp", "192.0.2.1", 53, 53, 3}, {"sctp", "2001:db8::1", 7, 8, 2}};
    state.local_routes = {"veth1"};
    const auto rules = make_nft_rules(id, state);
    CHECK(has(rules, "meta nfproto ipv4 tcp dport 8080 dnat ip to 10.0.0.5:80\n"));
    CHECK(has(rules, "meta nfproto ipv6 tcp dport 8080 dnat ip6 to [fd00::5]:80\n"));
    CHECK(has(rules, "ip daddr 192.0.2.1 udp dport 53-55 dnat ip to 10.0.0.5\n"));
    CHECK(has(rules,
              "ip6 daddr 2001:db8::1 sctp dport 7-8 dnat ip6 to sctp dport map { 7 : fd00::5 . 8, 8 : fd00::5 . 9 }"));
    CHECK(has(rules, "iifname { \"veth1\" } ip daddr 127.0.0.0/8 drop"));
    CHECK(has(rules, "ip saddr 127.0.0.0/8 ip daddr 10.0.0.5 ct status dnat masquerade"));
}

TEST_CASE("rules: a restricted network is dropped on its way elsewhere")
{
    auto wanted = request(plain);
    wanted.config.restricted = true;
    NetworkState state{.networks = {{.request = wanted}}};
    state.networks[0].result = result_of(R"({"interfaces":[{"name":"veth1"}],"ips":[{"address":"10.0.0.5/24"}]})");
    const auto rules = make_nft_rules(id, state);
    CHECK(has(rules, "type filter hook forward priority 0;"));
    CHECK(has(rules, "iifname { \"veth1\" } ip daddr != 10.0.0.0/24 drop"));
    CHECK(has(rules, "iifname { \"veth1\" } meta nfproto ipv6 drop"));
}

TEST_CASE("iptables: the same, for each family by itself")
{
    NetworkState state{.nftables = false, .networks = {{.request = request(masquerading)}}, .publishing = 0};
    CHECK(make_iptables_rules(id, state, false).empty()); // no result yet
    state.networks[0].masquerade = true;
    state.networks[0].result =
        result_of(R"({"interfaces":[{"name":"veth1"}],"ips":[{"address":"10.0.0.5/24"},{"address":"fd00::5/64"}]})");
    state.ports = {http, {"udp", "192.0.2.1", 53, 53, 3}, {"sctp", "2001:db8::1", 7, 8, 2}};
    state.local_routes = {"veth1"};
    const auto v4 = make_iptables_rules(id, state, false), v6 = make_iptables_rules(id, state, true);
    CHECK(has(v4, "*nat\n:RKT-IN-6ba7b8109dad11d180b4 - [0:0]\n"
                  "-A RKT-IN-6ba7b8109dad11d180b4 -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80\n"
                  "-A RKT-IN-6ba7b8109dad11d180b4 -p udp -d 192.0.2.1 --dport 53:55 -j DNAT --to-destination 10.0.0.5\n"
                  "-A PREROUTING -m addrtype --dst-type LOCAL -j RKT-IN-6ba7b8109dad11d180b4\n"));
    CHECK(has(v4, "-A RKT-LO-6ba7b8109dad11d180b4 -i veth1 -d 127.0.0.0/8 -j DROP\n"));
    CHECK(has(v4, "-s 10.0.0.5 -d 10.0.0.0/24 -j RETURN\n"));
    CHECK(has(v4, "-A POSTROUTING -j RKT-OUT-6ba7b8109dad11d180b4\nCOMMIT\n"));
    CHECK(has(v6, "-p sctp -d 2001:db8::1 --dport 8 -j DNAT --to-destination [fd00::5]:9\n"));
    CHECK_FALSE(has(v6, "RKT-LO"));
    CHECK_FALSE(has(v4, "RKT-FWD"));
    CHECK_FALSE(has(v4, "::"));
}

TEST_CASE("iptables: what is forwarded, and the exceptions of hosts that drop it")
{
    auto wanted = request(plain);
    wanted.config.restricted = true;
    NetworkState state{.nftables = false, .networks = {{.request = wanted}}};
    state.networks[0].result = result_of(R"({"interfaces":[{"name":"veth1"}],"ips":[{"address":"10.0.0.5/24"}]})");
    CHECK(has(make_iptables_rules(id, state, false), "-i veth1 ! -d 10.0.0.0/24 -j DROP\n"));
    CHECK(has(make_iptables_rules(id, state, true), "-i veth1 -j DROP\n"));
    state.publishing = 0;
    state.opens_forward = true;
    const auto rules = make_iptables_rules(id, state, false);
    CHECK(rules.find("-d 10.0.0.5 -m conntrack --ctstate DNAT -j ACCEPT") < rules.find("-j DROP"));
    state.nftables = true; // then only the exception is iptables'
    CHECK(has(make_iptables_rules(id, state, false), "-j ACCEPT"));
    CHECK_FALSE(has(make_iptables_rules(id, state, false), "DROP"));
    CHECK_FALSE(has(make_iptables_rules(id, state, false), "*nat"));
}

TEST_CASE("iptables: only what is the pod's is taken away")
{
    CHECK(remove_iptables_rules(id, "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j OTHER\nCOMMIT\n").empty());
    CHECK(remove_iptables_rules(id, "# by\n*nat\n:OUTPUT ACCEPT [0:0]\n:RKT-IN-6ba7b8109dad11d180b4 - [0:0]\n"
                                    ":RKT-IN-00000000000000000000 - [0:0]\n"
                                    "-A OUTPUT -m addrtype --dst-type LOCAL -j RKT-IN-6ba7b8109dad11d180b4\n"
                                    "-A OUTPUT -j RKT-IN-00000000000000000000\n"
                                    "-A RKT-IN-6ba7b8109dad11d180b4 -p tcp -j DNAT --to-destination 10.0.0.5:80\n"
                                    "COMMIT\n*filter\n:FORWARD DROP [0:0]\nCOMMIT\n") ==
          "*nat\n-D OUTPUT -m addrtype --dst-type LOCAL -j RKT-IN-6ba7b8109dad11d180b4\n"
          "-F RKT-IN-6ba7b8109dad11d180b4\n-X RKT-IN-6ba7b8109dad11d180b4\nCOMMIT\n");
}

TEST_CASE("a port that leads nowhere and a network that cannot be restricted are errors")
{
    const char* v4 = R"({"interfaces":[{"name":"veth1"}],"ips":[{"address":"10.0.0.5/24"}]})";
    NetworkState state{.networks = {{.request = request(plain)}}, .publishing = 0};
    state.networks[0].result = result_of(v4);
    state.ports = {http};
    CHECK_NOTHROW(check_demands(state));
    state.ports = {{"tcp", "2001:db8::1", 8080, 80, 1}};
    CHECK_THROWS_WITH_AS(check_demands(state), doctest::Contains("port 8080/tcp cannot be published"), Error);
    CHECK_THROWS_WITH_AS(check_demands(state), doctest::Contains("gave the pod no IPv6 address"), Error);
    state.ports = {http};
    state.networks[0].result = result_of("{}");
    CHECK_THROWS_WITH_AS(check_demands(state), doctest::Contains("gave the pod no address"), Error);
    state.networks[0].result = result_of(R"({"ip4":{"ip":"10.0.0.5/24"}})"); // before 0.3.0
    CHECK_THROWS_WITH_AS(check_demands(state), doctest::Contains("127.0.0.1"), Error);
    state.ports[0].host_ip = "192.0.2.1";
    CHECK_NOTHROW(check_demands(state));
    state.networks[0].request.config.restricted = true;
    CHECK_THROWS_WITH_AS(check_demands(state), doctest::Contains("cannot be restricted"), Error);
}
