// SPDX-License-Identifier: Apache-2.0
#include "stage0/quadlet/network.hh"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/model/network.hh"
#include "common/sys/error.hh"
#include "stage0/quadlet/translate.hh"

using namespace rocket;
using namespace rocket::quadlet;

namespace
{

UnitFile network(const std::string& lines, const std::string& name = "lan.network")
{
    UnitFile file{.name = name, .path = "/e/" + name};
    file.add("[Network]\n" + lines, file.path);
    return file;
}

std::string configuration(const std::string& lines)
{
    const auto file = network(lines);
    auto text = network_configuration(file, {file});
    const auto value = model::json::parse(text, "network"); // as `rocket run` reads it
    CHECK(model::NetworkConfig::from({value, "network"}).name == network_name(file));
    return text;
}

std::string problem(const std::string& lines)
{
    try {
        configuration(lines);
    } catch (const Error& error) {
        return error.innermost();
    }
    return "";
}

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("quadlet: a network is a bridge with a subnet")
{
    const auto text = configuration("Subnet=10.1.2.3/24\nGateway=10.1.2.1\nIPRange=10.1.2.10-10.1.2.20\nDNS=192.0.2.1\n"
                                    "Options=mtu=1400,vlan=7\nLabel=a=b\nInterfaceName=br7");
    for (const char* part : {R"("name":"lan")", R"("type":"bridge","bridge":"br7","isGateway":true,"ipMasq":true)",
                             R"("vlan":7,"mtu":1400)", R"({"subnet":"10.1.2.0/24","rangeStart":"10.1.2.10")",
                             R"("rangeEnd":"10.1.2.20","gateway":"10.1.2.1"})", R"("routes":[{"dst":"0.0.0.0/0"}])",
                             R"("dns":{"nameservers":["192.0.2.1"]})", R"("labels":[{"key":"a","value":"b"}])",
                             R"("rocket":{"requestsOutsideRange":true})"}) {
        CAPTURE(std::string{part});
        CHECK(has(text, part));
    }
    const auto internal = configuration("Internal=yes\nIPv6=yes\nNetworkName=inner");
    CHECK(has(internal, R"("restricted":true)"));
    CHECK(has(internal, R"("ipMasq":false)"));
    CHECK_FALSE(has(internal, "routes"));
    CHECK(has(internal, R"("subnet":"10.89.)"));
    CHECK(has(internal, R"("subnet":"fd72:6f63:6b65:89)"));
    CHECK(has(configuration("Driver=macvlan\nIPAMDriver=dhcp\nOptions=parent=eth0,mode=bridge"),
              R"("type":"macvlan","master":"eth0","mode":"bridge","ipam":{"type":"dhcp"})"));
}

TEST_CASE("quadlet: networks without a subnet get different ones")
{
    std::vector<UnitFile> files;
    for (int number = 0; number < 40; ++number)
        files.push_back(network("", "n" + std::to_string(number) + ".network"));
    std::vector<std::string> subnets;
    for (const auto& file : files) {
        const auto text = network_configuration(file, files);
        const auto at = text.find("10.89.");
        subnets.push_back(text.substr(at, text.find('"', at) - at));
    }
    std::ranges::sort(subnets);
    CHECK(std::ranges::adjacent_find(subnets) == subnets.end());
}

TEST_CASE("quadlet: what a network cannot be is refused with its line")
{
    CHECK(problem("Foo=1") == "/e/lan.network:2: Foo=1: this key is not supported");
    for (const char* bad : {"Subnet=10.0.0.0",
                            "Subnet=10.0.0.0/31",
                            "Subnet=x/24",
                            "Subnet=10.0.0.0/0",
                            "Gateway=10.0.0.1",
                            "Subnet=10.0.0.0/24\nGateway=fd00::1",
                            "Subnet=10.0.0.0/24\nIPRange=10.0.0.1",
                            "Driver=weave",
                            "IPAMDriver=none",
                            "IPAMDriver=dhcp",
                            "Options=isolate=true",
                            "Options=mtu=9",
                            "Options=vlan=4095",
                            "Options=parent=eth0",
                            "Options=parent=a/b",
                            "Driver=macvlan\nInterfaceName=br0",
                            "Driver=ipvlan\nIPAMDriver=dhcp\nSubnet=10.0.0.0/24",
                            "InterfaceName=a-name-that-is-too-long",
                            "DNS=example.com",
                            "NetworkName=host",
                            "NetworkName=a b",
                            "NetworkName=../x",
                            "IPv6=maybe",
                            "DisableDNS=yes"}) {
        CAPTURE(std::string{bad});
        CHECK(problem(bad).starts_with("/e/lan.network:"));
    }
}

TEST_CASE("quadlet: a container on a network with a file needs that file's unit")
{
    UnitFile container{.name = "a.container", .path = "/e/a.container"};
    container.add("[Container]\nImage=/i.aci\nNetwork=lan.network:ip=10.1.2.9\n", container.path);
    const auto made = translate({container, network("NetworkName=x-lan")}, "/bin/rocket");
    REQUIRE(made.problems.empty());
    REQUIRE(made.units.size() == 2);
    CHECK(has(made.units[0].text, "Requires=lan-network.service\nAfter=lan-network.service\n"));
    CHECK(has(made.units[0].text, "--net=x-lan:IP=10.1.2.9;IgnoreUnknown=1"));
    CHECK(has(made.units[1].text, "/run/rocket/net.d/x-lan.conflist"));
    CHECK(translate({container}, "/bin/rocket").problems.at(0).text ==
          "/e/a.container:3: there is no file \"lan.network\"");
}
